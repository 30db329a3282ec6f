// The script of the pages: it makes them pleasant, and none needs it.
"use strict";

// Times in the zone of the person, money as they write it.
const showTime = (time) => {
  const at = new Date(time.dateTime);
  if (isNaN(at)) return;
  time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  time.title = time.dateTime;
};
document.querySelectorAll("time[datetime]").forEach(showTime);
for (const money of document.querySelectorAll("data.money")) {
  try {
    const options = { style: "currency", currency: money.dataset.currency };
    money.textContent = new Intl.NumberFormat(undefined, options).format(money.value);
  } catch { /* a currency that the browser does not know stays as it is */ }
}

// A date with a time is typed in the zone of the person, and sent in UTC.
const pad = (n) => String(n).padStart(2, "0");
const local = (at) =>
  `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
for (const input of document.querySelectorAll("input[type=datetime-local]")) {
  const at = new Date(input.dataset.utc || NaN);
  if (!isNaN(at)) input.value = local(at);
  input.closest("label")?.querySelector(".utc")?.remove();
  const sent = document.createElement("input");
  sent.type = "hidden";
  sent.name = input.name;
  input.removeAttribute("name");
  input.after(sent);
  let typed = input.value;
  const keep = () => {
    // What was not changed keeps its seconds.
    const same = input.value === typed && input.dataset.utc;
    sent.value = same ? input.dataset.utc : input.value ? new Date(input.value).toISOString() : "";
  };
  keep();
  input.addEventListener("input", keep);
}

// Send a form once that is clicked twice.
const DOUBLE_CLICK_MS = 2000;
const sentAt = new WeakMap();
document.addEventListener("submit", (event) => {
  const { target: form, timeStamp } = event;
  const isSentAgain = timeStamp - sentAt.get(form) < DOUBLE_CLICK_MS;
  if (isSentAgain) event.preventDefault();
  else sentAt.set(form, timeStamp);
});

// Copy a text.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const text = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = text; }, 1500);
  });
}

// Tick all boxes of a form.
for (const all of document.querySelectorAll("input[data-all]")) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of all.form.querySelectorAll(`input[name="${all.dataset.all}"]`)) box.checked = all.checked;
  });
}

// Put cards in order by dragging. The buttons on them do the same by keyboard and without script.
for (const list of document.querySelectorAll("[data-order]")) {
  const form = document.getElementById(list.dataset.order);
  const cards = [...list.children];
  let dragged = null;
  for (const card of cards) {
    const grip = document.createElement("span");
    Object.assign(grip, { className: "grip", draggable: true, textContent: "⠿", title: "Drag to another place" });
    grip.ariaHidden = "true";
    grip.addEventListener("dragstart", ({ dataTransfer }) => {
      dragged = card;
      dataTransfer.effectAllowed = "move";
      dataTransfer.setData("text/plain", card.dataset.id);
      dataTransfer.setDragImage(card, 0, 0);
    });
    grip.addEventListener("dragend", ({ dataTransfer }) => {
      dragged = null;
      if (dataTransfer.dropEffect === "none") return list.append(...cards);
      form.elements.order.value = [...list.children].map((it) => it.dataset.id).join(" ");
      form.requestSubmit();
    });
    card.prepend(grip);
    card.addEventListener("drop", (event) => event.preventDefault());
    card.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      if (dragged === card) return;
      const comesLater = card.compareDocumentPosition(dragged) & Node.DOCUMENT_POSITION_FOLLOWING;
      if (comesLater) card.before(dragged); else card.after(dragged);
    });
  }
}

// Events as they happen: rows above those that the page came with, as many as one answer of the server holds.
for (const live of document.querySelectorAll("[data-events]")) {
  const body = live.querySelector("tbody");
  const labels = [...live.querySelectorAll("thead th")].map((it) => it.textContent);
  const status = live.querySelector("[role=status]");
  const element = (name, properties) => Object.assign(document.createElement(name), properties);
  const addRow = (cells) => {
    const row = body.insertRow(0);
    cells.forEach((content, at) => {
      const cell = at === 0 ? element("th", { scope: "row" }) : element("td", {});
      if (at > 0) cell.dataset.label = labels[at];
      const box = element("div", {});
      box.append(content);
      cell.append(box);
      row.append(cell);
    });
    while (body.rows.length > 100) body.deleteRow(-1);
  };
  const events = new EventSource(live.dataset.events);
  events.addEventListener("message", (message) => {
    const { name, data, happened_at } = JSON.parse(message.data);
    const time = element("time", { dateTime: happened_at });
    showTime(time);
    addRow([name, time, element("code", { textContent: JSON.stringify(data) })]);
  });
  events.addEventListener("dropped", (message) => {
    const { n_dropped } = JSON.parse(message.data);
    status.textContent = `More happened than is shown here: ${n_dropped} events are left out.`;
  });
  status.hidden = false;
}
