/* The notebook chat: a fold of two synced values.
 *
 * `turns`    finished questions, each {id, question, state, lines, answer}
 * `current`  the running one in the same shape, or null
 * Sent:      {type: "ask", question} | {type: "stop"} | {type: "crop", turn, citation}
 * Received:  {type: "crop", turn, citation, error} with the JPEG as its one buffer
 *
 * Text of documents and models only ever enters through textContent.
 */

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function lineNode(line) {
  const item = element("li", `ph-line ph-${line.kind}${line.ok ? "" : " ph-bad"}`);
  item.append(element("span", "ph-kind", line.kind), " ", element("span", "", line.title));
  for (const detail of line.details) item.append(element("div", "ph-soft", detail));
  return item;
}

/* Split "text [1] more" so that each known marker becomes a button that leads to its citation. */
function answerText(text, citations, goTo) {
  const box = element("div", "ph-text");
  for (const part of text.split(/(\[\d{1,3}\])/)) {
    const number = /^\[\d{1,3}\]$/.test(part) ? Number(part.slice(1, -1)) : 0;
    if (number < 1 || number > citations) {
      box.append(part);
      continue;
    }
    const marker = element("button", "ph-marker", part);
    marker.type = "button";
    marker.title = `Show citation ${number}`;
    marker.addEventListener("click", () => goTo(number));
    box.append(marker);
  }
  return box;
}

function usageLine(usage) {
  const counted = [["steps", "step"], ["rounds", "round"], ["tool_calls", "tool call"], ["model_calls", "model call"]];
  const parts = counted
    .filter(([key]) => usage[key])
    .map(([key, word]) => `${usage[key]} ${word}${usage[key] === 1 ? "" : "s"}`);
  return [...parts, `${(usage.seconds ?? 0).toFixed(1)} s`].join(", ");
}

function render({ model, el }) {
  const root = element("div", "pagehop-chat");
  const log = element("div", "ph-log");
  log.setAttribute("role", "log");
  log.setAttribute("aria-live", "polite");
  const form = element("form", "ph-form");
  const field = element("textarea", "ph-field");
  field.rows = 2;
  field.placeholder = "Ask about the documents";
  field.setAttribute("aria-label", "Question");
  const button = element("button", "ph-button", "Ask");
  button.type = "submit";
  form.append(field, button);
  const notice = element("div", "ph-notice");
  notice.setAttribute("role", "status");
  root.append(log, notice, form);
  el.append(root);

  const turnNodes = new Map();
  const pictures = new Map(); // "turn/citation" -> {url} or {error}
  const slots = new Map(); // "turn/citation" -> element that waits for the picture

  function fillSlot(key) {
    const slot = slots.get(key);
    const picture = pictures.get(key);
    if (!slot || !picture) return;
    slot.replaceChildren();
    if (picture.error) {
      slot.append(element("span", "ph-soft", `no picture: ${picture.error}`));
      return;
    }
    const image = element("img", "ph-crop");
    image.src = picture.url;
    image.alt = slot.dataset.ref;
    image.title = "Click to enlarge";
    image.addEventListener("click", () => image.classList.toggle("ph-large"));
    slot.append(image);
  }

  function citationNode(turn, citation, number) {
    const key = `${turn.id}/${number}`;
    const item = element("div", "ph-citation");
    item.append(element("strong", "", `[${number}] ${citation.document}`), `, page ${citation.page} `);
    item.append(element("code", "", `${citation.name}:${citation.page}`));
    if (!citation.verified) item.append(element("span", "ph-soft", " not verified"));
    if (citation.source === "ocr") item.append(element("span", "ph-soft", " read by OCR"));
    item.append(element("blockquote", "", citation.quote));
    const slot = element("div", "ph-slot", "");
    slot.dataset.ref = `${citation.name}:${citation.page}`;
    slots.set(key, slot);
    if (pictures.has(key)) fillSlot(key);
    else {
      slot.append(element("span", "ph-soft", "rendering the page ..."));
      model.send({ type: "crop", turn: turn.id, citation: number });
    }
    item.append(slot);
    return item;
  }

  function answerNodes(turn) {
    const answer = turn.answer;
    const items = answer.citations.map((citation, i) => citationNode(turn, citation, i + 1));
    const goTo = (number) => {
      const item = items[number - 1];
      item.scrollIntoView({ behavior: "smooth", block: "nearest" });
      item.classList.add("ph-found");
      setTimeout(() => item.classList.remove("ph-found"), 1500);
    };
    const nodes = [element("span", `ph-badge ph-${answer.status}`, answer.status)];
    nodes.push(answerText(answer.answer, items.length, goTo));
    if (answer.error) nodes.push(element("div", "ph-warning", answer.error));
    nodes.push(...items);
    nodes.push(...answer.warnings.map((words) => element("div", "ph-warning", `Warning: ${words}`)));
    nodes.push(element("div", "ph-soft", usageLine(answer.usage)));
    return nodes;
  }

  function newTurn(turn) {
    const node = element("section", "ph-turn");
    const lines = element("details", "ph-lines");
    lines.open = turn.state === "running";
    lines.append(element("summary"), element("ol"));
    node.append(element("div", "ph-question", turn.question), lines, element("div", "ph-answer"));
    turnNodes.set(turn.id, node);
    log.append(node);
    return node;
  }

  function drawTurn(turn) {
    const node = turnNodes.get(turn.id) ?? newTurn(turn);
    if (node.dataset.state && node.dataset.state !== "running") return; // a finished turn never changes
    const [, lines, answer] = node.children;
    const [summary, list] = lines.children;
    for (const line of turn.lines.slice(list.children.length)) list.append(lineNode(line));
    summary.textContent = turn.state === "running" ? "working ..." : "how it was found";
    node.dataset.state = turn.state;
    if (turn.state === "running") {
      list.lastElementChild?.scrollIntoView({ block: "nearest" });
      return;
    }
    lines.open = false;
    lines.hidden = turn.lines.length === 0;
    if (turn.answer) answer.replaceChildren(...answerNodes(turn));
    else answer.replaceChildren(element("div", "ph-warning", turn.notice || "Stopped."));
  }

  function draw() {
    for (const turn of model.get("turns")) drawTurn(turn);
    const current = model.get("current");
    if (current) drawTurn(current);
    root.classList.toggle("ph-running", Boolean(current));
    button.textContent = current ? "Stop" : "Ask";
    notice.textContent = model.get("notice");
  }

  function submit() {
    if (model.get("current")) {
      model.send({ type: "stop" });
      return;
    }
    const question = field.value.trim();
    if (!question) return;
    model.send({ type: "ask", question });
    field.value = "";
  }

  function onMessage(message, buffers) {
    if (message.type !== "crop") return;
    const key = `${message.turn}/${message.citation}`;
    if (pictures.get(key)?.url) return;
    const url = message.error ? "" : URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" }));
    pictures.set(key, { url, error: message.error });
    fillSlot(key);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the notebook's own shortcuts must not fire while typing
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!model.get("current")) submit();
  });
  model.on("change:turns", draw);
  model.on("change:current", draw);
  model.on("change:notice", draw);
  model.on("msg:custom", onMessage);
  draw();

  return () => {
    model.off("change:turns", draw);
    model.off("change:current", draw);
    model.off("change:notice", draw);
    model.off("msg:custom", onMessage);
    for (const { url } of pictures.values()) if (url) URL.revokeObjectURL(url);
  };
}

export default { render };
