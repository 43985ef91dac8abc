"use strict";
/* What a person sees: the same chats as the modules know, drawn as WhatsApp Web of 2026 draws them.

   Variants (`replicaFaults.skin`): `testids` false leaves the test ids out, `old_ids` writes the JID into data-id as
   before April 2026, `labels` is the language of the account. */
(() => {
  const { state, collections, stores, chatFor, faults } = window.replica;
  const skin = { testids: true, old_ids: false, labels: "en", ...(faults.skin ?? {}) };
  const WORDS = {
    en: { list: "Chat list", unread: (n) => `${n} unread message${n === 1 ? "" : "s"}`, qr: "Scan this QR code to link a device!" },
    es: { list: "Lista de chats", unread: (n) => `${n} mensaje${n === 1 ? "" : "s"} no leído${n === 1 ? "" : "s"}`, qr: "Escaneá este código QR para vincular un dispositivo" },
    pt: { list: "Lista de conversas", unread: (n) => `${n} mensage${n === 1 ? "m" : "ns"} não lida${n === 1 ? "" : "s"}`, qr: "Escaneie este código QR" },
  }[skin.labels];
  let open = null;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined) continue;
      if (name === "data-testid" && !skin.testids) continue;
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  const digits = (jid) => `+${String(jid).split("@")[0]}`;
  const phoneOf = (jid) => state.phones.get(String(jid)) ?? jid;
  /* A saved contact has a name in the list; a stranger is shown by the number, or by a name of their own choice. */
  function titleOf(chat) {
    if (chat.id.isGroup()) return chat.name ?? "Group";
    const contact = collections.ContactCollection.get(chat.id);
    const phone = phoneOf(chat.id);
    if (contact?.name) return contact.name;
    return phone.server === "lid" ? `~${contact?.pushname}` : digits(phone);
  }

  function drawLogin(root) {
    const box = element("div", { "data-ref": stores.Conn.ref });
    box.append(element("canvas", { "aria-label": WORDS.qr, width: 10, height: 10 }));
    if (stores.Socket.state === "UNPAIRED_IDLE") box.append(element("button", { onclick: () => stores.Socket.poke() }, "↻"));
    root.append(box);
    if (window.replica.linkCode) root.append(element("div", { "data-link-code": window.replica.linkCode }));
  }

  function preview(chat) {
    const last = chat.msgs.models.at(-1);
    return last ? (last.body ?? "") : "";
  }

  function drawRow(chat) {
    const title = titleOf(chat);
    const badge =
      chat.unreadCount > 0
        ? element("span", { "data-testid": "icon-unread-count", "aria-label": WORDS.unread(chat.unreadCount) }, String(chat.unreadCount))
        : null;
    return element(
      "div",
      { role: "row" },
      element(
        "div",
        { role: "gridcell", "data-testid": "cell-frame-container", onclick: () => select(chat) },
        chat.id.isGroup() ? element("span", { "data-icon": "default-group-refreshed" }) : null,
        element("div", { "data-testid": "cell-frame-title" }, element("span", { title, dir: "auto" }, title)),
        element("span", { title: preview(chat) }, preview(chat)),
        badge,
      ),
    );
  }

  const TICKS = { 0: "msg-time", 1: "msg-check", 2: "msg-dblcheck", 3: "msg-dblcheck-ack", 4: "msg-dblcheck-ack" };

  function drawMessage(message) {
    const { fromMe, remote, id } = message.id;
    const when = new Date(message.t * 1000);
    const stamp = `[${when.getHours()}:${String(when.getMinutes()).padStart(2, "0")}, ${when.getDate()}/${when.getMonth() + 1}/${when.getFullYear()}] ${message.notifyName ?? ""}: `;
    const text = element("span", { class: "selectable-text copyable-text", "data-testid": "selectable-text" });
    for (const piece of (message.body ?? "").split(/(\p{Extended_Pictographic})/u)) {
      if (/\p{Extended_Pictographic}/u.test(piece)) text.append(element("img", { alt: piece }));
      else text.append(document.createTextNode(piece));
    }
    const quoted = message.quotedStanzaID
      ? element("div", { "aria-label": "Quoted message" }, element("span", { class: "selectable-text copyable-text" }, "quoted words"))
      : null;
    return element(
      "div",
      { role: "row" },
      element(
        "div",
        {
          "data-id": skin.old_ids ? `${fromMe}_${remote}_${id}` : id,
          "data-testid": `conv-msg-${id}`,
          class: fromMe ? "message-out" : "message-in",
        },
        message.author ? element("span", { "data-testid": "author" }, message.notifyName ?? "") : null,
        quoted,
        message.type === "chat" ? element("div", { class: "copyable-text", "data-pre-plain-text": stamp }, text) : element("img", { src: "" }),
        fromMe ? element("span", { "data-icon": TICKS[message.ack ?? 0] }) : null,
      ),
    );
  }

  function drawMain() {
    const main = element("div", { id: "main" });
    main.append(
      element(
        "header",
        {},
        element("span", { "data-testid": "conversation-info-header-chat-title", title: titleOf(open), dir: "auto" }, titleOf(open)),
      ),
      element(
        "div",
        { role: "application", "data-testid": "conversation-panel-messages", "data-scrolltracepolicy": "wa.web.conversation.messages" },
        ...open.msgs.models.map(drawMessage),
      ),
      element("footer", {}, compose),
    );
    return main;
  }

  const compose = element("div", { contenteditable: "true", role: "textbox", "data-tab": "10", "aria-placeholder": "…", style: "white-space: pre-wrap" });
  compose.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    const text = compose.innerText.replace(/\n$/, "");
    compose.textContent = "";
    if (text && open) window.replica.send(open, text);
  });

  function select(chat) {
    open = chat;
    chat.unreadCount = 0;
    void window.replica.call("seen", { chat: String(chat.id) });
    draw();
    compose.focus();
  }

  function draw() {
    const root = document.getElementById("app");
    const focused = document.activeElement === compose;
    root.replaceChildren();
    if (stores.Stream.mode === "QR") return drawLogin(root);
    if (!state.authenticated) return undefined;
    if (stores.Stream.mode === "CONFLICT") {
      root.append(element("div", { role: "dialog", "data-animate-modal-popup": "true" }, element("button", {}, "↻")));
      return undefined;
    }
    const filter = document.getElementById("replica-search")?.value ?? "";
    const rows = [...collections.ChatCollection.models]
      .filter((chat) => titleOf(chat).includes(filter))
      .sort((one, other) => other.t - one.t)
      .map(drawRow);
    root.append(
      element(
        "div",
        { id: "side" },
        element("div", { "data-testid": "chat-list-search-container" }, element("input", { type: "text", "data-tab": "3" })),
        element("div", { id: "pane-side" }, element("div", { role: "grid", "aria-label": WORDS.list, "data-testid": "chat-list" }, ...rows)),
      ),
    );
    if (open) root.append(drawMain());
    if (focused) compose.focus();
    return undefined;
  }

  let scheduled = false;
  window.replica.draw = () => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      draw();
    });
  };

  window.replica.start = async () => {
    const wanted = new URLSearchParams(location.search).get("phone");
    if (faults.moduleGapMilliseconds) await new Promise((done) => setTimeout(done, faults.moduleGapMilliseconds));
    window.replica.make();
    await window.replica.listen();
    void wanted, chatFor;
  };
  void window.replica.start();
})();
