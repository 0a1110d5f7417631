"""A LangChain retriever over a view."""

from typing import TYPE_CHECKING

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, PrivateAttr

if TYPE_CHECKING:
    from pagehop.library.view import View


class ViewRetriever(BaseRetriever):
    """Hybrid search: one document a page, with its reference, box and score as metadata."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    k: int = 8
    """Most pages to return."""
    _view: "View" = PrivateAttr()

    def __init__(self, view: "View", k: int = 8) -> None:
        """Hold the view."""
        super().__init__(k=k)  # type: ignore[call-arg]
        self._view = view

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
    ) -> list[Document]:
        return [
            Document(
                id=str(hit.ref),
                page_content=hit.text,
                metadata={
                    "ref": str(hit.ref),
                    "source": hit.document,
                    "page": hit.page,
                    "box": list(hit.box),
                    "kind": hit.kind,
                    "read_by": hit.source,
                    "score": hit.score,
                },
            )
            for hit in self._view.search(query, k=self.k if k is None else k)
        ]
