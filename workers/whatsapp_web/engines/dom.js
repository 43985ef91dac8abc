// Reads WhatsApp Web as a person sees it. Where to look stands in selectors.json, never here.
({ selectors, ticks }) => {
  const fail = (code) => {
    throw { code };
  };
  const all = (name, root = document) => {
    for (const one of selectors[name]) {
      const found = [...root.querySelectorAll(one)];
      if (found.length) return found;
    }
    return [];
  };
  const first = (name, root) => all(name, root)[0] ?? null;
  const inside = (name, element) => selectors[name].some((one) => element.closest(one));
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  async function until(holds, milliseconds, code) {
    for (const ends = Date.now() + milliseconds; !holds(); await pause(30)) if (Date.now() > ends) fail(code);
  }

  // A title that is a phone number is the only thing shown that says who somebody is: a name may be anybody's.
  function phoneIn(title) {
    if (!/^\+[\d\s().-]+$/.test(title)) return null;
    const digits = title.replace(/\D/g, "");
    return digits.length >= 8 && digits.length <= 15 ? digits : null;
  }
  const chatOf = (title) => (phoneIn(title) ? `${phoneIn(title)}@c.us` : `title:${title}`);

  function rows() {
    return all("row").flatMap((element) => {
      const title = first("row_title", element)?.getAttribute("title");
      if (!title) return [];
      const badge = all("row_unread", element).find((one) => /\d/.test(one.textContent) && !one.title);
      return [{
        element,
        title,
        chat: chatOf(title),
        unread: Number(badge?.textContent.match(/\d+/)?.[0] ?? 0),
        shown: element.textContent,
        group: Boolean(first("group", element)),
      }];
    });
  }

  function textOf(node) {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeName === "IMG") return node.alt;
    if (node.nodeName === "BR") return "\n";
    const text = [...node.childNodes].map(textOf).join("");
    return node.nodeName === "P" && node.nextSibling ? `${text}\n` : text;
  }
  const words = (text) => text.split(/\s+/).filter(Boolean).join(" ");
  const plain = (text) => text.replace(/\u00a0/g, " ").replace(/\r/g, "").trim();

  // The order of day and month is the account's: of both readings the one that is nearest to now and not after it.
  function timeIn(stamp) {
    const found = stamp.match(/^\[(.*?)\]/)?.[1] ?? "";
    const clock = found.match(/(\d{1,2}):(\d{2})\D*?([ap])?\.?\s?m?\.?/i);
    const date = found.match(/(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})/);
    if (!clock || !date) return null;
    const half = /p\.?\s?m/i.test(found) ? 12 : 0;
    const twelve = /[ap]\.?\s?m/i.test(found);
    const hour = twelve ? (Number(clock[1]) % 12) + half : Number(clock[1]);
    const readings = [[date[1], date[2]], [date[2], date[1]]]
      .filter(([, month]) => Number(month) >= 1 && Number(month) <= 12)
      .map(([day, month]) => new Date(Number(date[3]), Number(month) - 1, Number(day), hour, Number(clock[2])).getTime())
      .filter((time) => time < Date.now() + 86_400_000);
    return readings.length ? Math.floor(Math.max(...readings) / 1000) : null;
  }

  function identity(given) {
    const old = given.match(/^(true|false)_(\S+@[a-z.]+)_([0-9A-Za-z]+)/);
    return old ? { id: old[3], remote: old[2], mine: old[1] === "true" } : { id: given, remote: null, mine: null };
  }

  function isMine(element, mine) {
    if (mine !== null) return mine;
    if (inside("outgoing", element) || first("outgoing", element)) return true;
    if (inside("incoming", element) || first("incoming", element)) return false;
    return Boolean(first("tick", element));
  }

  const ackOf = (element) => ticks[first("tick", element)?.getAttribute("data-icon")] ?? null;

  function shown() {
    const panel = first("panel");
    if (!panel) return [];
    let at = 0;
    return all("message", panel).map((element) => {
      const { id, remote, mine } = identity(element.getAttribute("data-id"));
      const stamp = first("message_stamp", element)?.getAttribute("data-pre-plain-text") ?? "";
      const text = all("message_text", element).find((one) => !inside("quoted", one));
      at = timeIn(stamp) ?? at;
      return {
        id,
        remote,
        from_me: isMine(element, mine),
        kind: text ? "chat" : "file",
        text: text ? textOf(text) : "",
        at: at || Math.floor(Date.now() / 1000),
        name: stamp.match(/\]\s(.+?):\s?$/)?.[1] ?? null,
        author: Boolean(first("message_author", element)),
        ack: ackOf(element),
      };
    });
  }

  const openTitle = () => {
    const element = first("header_title");
    return element ? (element.getAttribute("title") ?? element.textContent) : null;
  };

  // A header may change before the messages below it do: an id that was seen in another chat says so.
  const seenIn = new Map();
  const pressed = new Set();
  const belongs = (title) =>
    openTitle() === title && first("panel") && shown().every((one) => (seenIn.get(one.id) ?? title) === title);

  async function open(chat) {
    const found = rows().filter((one) => one.chat === chat).sort((one, other) => other.unread - one.unread);
    if (!found.length) fail("not_in_view");
    const { title, element } = found[0];
    const isOpen = openTitle() === title;
    if (!isOpen || found[0].unread) (first("row_target", element) ?? element).click();
    await until(() => belongs(title), 5000, "not_opened");
    await pause(60);
    if (!belongs(title)) fail("not_opened");
    for (const one of shown()) seenIn.set(one.id, title);
    return title;
  }

  function isGroup(messages) {
    const row = rows().find((one) => one.title === openTitle());
    const names = new Set(messages.filter((one) => !one.from_me && one.name).map((one) => one.name));
    return Boolean(
      row?.group || (first("header") && first("group", first("header"))) || names.size > 1 ||
        messages.some((one) => one.author || one.remote?.endsWith("@g.us")),
    );
  }

  // Who is in the open chat, as far as it is certain: by the ids of older pages, else by a title that is a number.
  function person(title, messages) {
    if (isGroup(messages)) return { phone: null, lid: null };
    const remote = messages.find((one) => one.remote)?.remote;
    const phone = phoneIn(title);
    if (!remote) return { phone, lid: null };
    const [user, server] = remote.split("@");
    if (server === "lid") return { phone, lid: user };
    return { phone: server === "c.us" && (!phone || phone === user) ? user : null, lid: null };
  }

  const page = {
    look() {
      const isIn = Boolean(first("chats"));
      const code = first("code");
      const conflict = !isIn && !code && first("conflict");
      const open = openTitle();
      return {
        look: {
          authenticated: isIn || Boolean(conflict),
          mode: conflict ? "CONFLICT" : isIn ? "MAIN" : code ? "QR" : null,
          online: navigator.onLine && !first("offline"),
          idle: Boolean(code && first("code_refresh")),
          code: code?.getAttribute("data-ref") || null,
        },
        rows: rows().map(({ element, title, ...row }) => row),
        ticks: open ? shown().filter((one) => one.from_me && one.ack).map(({ id, ack }) => ({ id, ack })) : [],
      };
    },

    refresh_code() {
      first("code_refresh")?.click();
    },

    async history(chat, count) {
      const title = await open(chat);
      for (let before = -1; shown().length < count && shown().length !== before; ) {
        const panel = first("panel");
        if (panel.scrollHeight <= panel.clientHeight) break;
        before = shown().length;
        panel.scrollTop = 0;
        await pause(300);
      }
      if (!belongs(title)) fail("not_opened");
      const messages = shown();
      for (const one of messages) seenIn.set(one.id, title);
      const who = { ...person(title, messages), title, group: isGroup(messages), chat };
      return messages.slice(-count).map(({ remote, author, ack, ...one }) => ({ ...one, ...who, key: one.id }));
    },

    async prepare(phone) {
      const chat = `${phone}@c.us`;
      const found = rows().filter((one) => one.chat === chat);
      if (found.length !== 1) fail("unverified");
      const title = await open(chat);
      if (person(title, shown()).phone !== phone) fail("unverified");
      return { chat, anchor: shown().at(-1)?.id ?? "" };
    },

    async send_text({ chat, phone, anchor }, body) {
      const title = await open(chat);
      const earlier = new Set(shown().map((one) => one.id));
      const box = first("compose") ?? fail("no place to write");
      const clear = () => {
        box.focus();
        document.execCommand("selectAll");
        document.execCommand("delete");
      };
      clear();
      body.split("\n").forEach((line, number) => {
        if (number) document.execCommand("insertLineBreak");
        if (line) document.execCommand("insertText", false, line);
      });
      const written = () => plain(box.innerText) === plain(body) || plain(textOf(box)) === plain(body);
      try {
        await until(written, 3000, "the text was not taken");
      } catch (error) {
        clear();
        throw error;
      }
      // From here to the end of the key press nothing else runs in the page.
      if (!belongs(title) || !box.isConnected || person(title, shown()).phone !== phone || !written()) {
        clear();
        fail("wrong_chat");
      }
      pressed.add(`${chat} ${anchor}`);
      const button = first("send");
      if (button) button.click();
      else box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true, cancelable: true }));
      const ours = () => shown().find((one) => one.from_me && !earlier.has(one.id) && words(one.text) === words(body));
      await until(ours, 10_000, "not_seen");
      seenIn.set(ours().id, title);
      return ours().id;
    },

    // The ack of a message; 0 where it cannot be told.
    async lookup(chat, id) {
      await open(chat);
      return shown().find((one) => one.id === id)?.ack ?? 0;
    },

    // Whether a chat certainly has nothing of ours after `anchor`: what was pressed here may still come into view.
    async nothing_after(chat, anchor) {
      if (pressed.has(`${chat} ${anchor}`)) return false;
      await open(chat);
      const messages = shown();
      const at = messages.findIndex((one) => one.id === anchor);
      return at >= 0 && !messages.slice(at + 1).some((one) => one.from_me);
    },
  };

  window.mostradorDom = true;
  window.mostradorPage = async (name, given) => {
    try {
      return JSON.stringify({ value: (await page[name](...given)) ?? null });
    } catch (error) {
      return JSON.stringify({ error: String(error?.code ?? error?.message ?? "failed").slice(0, 300) });
    }
  };
}
