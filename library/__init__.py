"""Documents in, pages out: parsing, storage in LanceDB, search and the page graph."""
