// Runs in WhatsApp Web beside wa-js. Everything that leaves is plain JSON: models are cyclic and never leave the page.
(settings) => {
  const WPP = window.WPP;
  const stores = WPP.whatsapp;
  const ignored = new Set(settings.ignored_kinds);
  const tell = (news) => void window.mostradorTell(JSON.stringify(news));
  const fail = (code) => {
    throw { code };
  };
  const downloads = new Map();

  // Who is behind a chat: a phone, a LID, or both where WhatsApp has told this browser that they are the same person.
  function person(wid) {
    const cache = stores.lidPnCache;
    if (wid.isLid?.() || wid.server === "lid") {
      return { lid: wid.user, phone: cache?.getPhoneNumber?.(wid)?.user ?? null };
    }
    if (wid.server === "c.us") return { lid: cache?.getCurrentLid?.(wid)?.user ?? null, phone: wid.user };
    return { lid: null, phone: null };
  }

  const isGroup = (wid) => wid.server === "g.us";
  const isPersonal = (wid) => wid.server === "c.us" || wid.server === "lid";

  function plain(message) {
    const remote = message.id.remote;
    const group = isGroup(remote);
    const who = group ? (message.author ?? message.id.participant) : remote;
    const file = message.mediaData ?? (message.mimetype ? message : null);
    const chat = WPP.chat.get(remote);
    return {
      id: message.id.id,
      key: String(message.id),
      chat: String(remote),
      from_me: Boolean(message.id.fromMe),
      kind: message.type,
      text: (message.type === "chat" ? message.body : message.caption) ?? "",
      at: Math.floor(message.t ?? 0),
      ...(who ? person(who) : {}),
      name: message.notifyName ?? null,
      title: chat ? title(chat) : null,
      group,
      quoted_id: message.quotedStanzaID ?? null,
      media: file?.mimetype
        ? { mime_type: file.mimetype, filename: message.filename ?? null, sha256: message.filehash ?? null }
        : null,
      latitude: message.lat ?? null,
      longitude: message.lng ?? null,
    };
  }

  const title = (chat) => chat.formattedTitle ?? chat.contact?.formattedName ?? chat.name ?? null;
  const isSaid = (message) =>
    !ignored.has(message.type) && (isPersonal(message.id.remote) || isGroup(message.id.remote));

  function find(id) {
    return stores.MsgStore.findFirst?.((one) => one.id?.id === id) ?? null;
  }

  // The chat of exactly this person; where the browser says anything else about who is in it, nothing is sent.
  function verified(wid, { phone, lid }) {
    if (!isPersonal(wid)) fail("wrong_chat");
    const found = person(wid);
    const same = (phone && found.phone === phone) || (lid && found.lid === lid);
    const differs = (phone && found.phone && found.phone !== phone) || (lid && found.lid && found.lid !== lid);
    if (!same || differs) fail("wrong_chat");
  }

  async function options({ key, chat, phone, lid, quoted }) {
    verified(WPP.chat.get(chat)?.id ?? fail("wrong_chat"), { phone, lid });
    const known = quoted ? find(quoted) : null;
    return {
      messageId: key,
      waitForAck: false,
      markIsRead: false,
      detectMentioned: false,
      linkPreview: false,
      ...(known && String(known.id.remote) === chat ? { quotedMsg: String(known.id) } : {}),
    };
  }

  const page = {
    async look() {
      const { mode, info } = WPP.conn.getStreamData();
      const authenticated = WPP.conn.isAuthenticated();
      const code = authenticated ? null : await WPP.conn.getAuthCode();
      return {
        authenticated,
        mode: mode ?? null,
        info: info ?? null,
        online: WPP.conn.isOnline() !== false,
        idle: WPP.conn.isIdle(),
        needs_update: Boolean(WPP.conn.needsUpdate()),
        account: authenticated ? (WPP.conn.getMyUserId()?.user ?? null) : null,
        code: code?.fullCode ?? null,
      };
    },

    // Everything that is going to be called is there, and answers.
    async self_test() {
      const needed = {
        conn: ["isAuthenticated", "getAuthCode", "refreshQR", "getStreamData", "getMyUserId", "isOnline", "logout"],
        chat: [
          "get", "list", "getMessages", "getMessageById", "generateMessageID", "sendTextMessage", "sendFileMessage",
          "markIsRead", "markIsComposing", "markIsPaused", "downloadMedia", "sendReactionToMessage",
        ],
        contact: ["queryExists", "getPnLidEntry"],
      };
      for (const [part, names] of Object.entries(needed)) {
        for (const name of names) if (typeof WPP[part]?.[name] !== "function") fail(`wa-js has no ${part}.${name}`);
      }
      for (const name of ["MsgStore", "ChatStore", "MsgKey", "UserPrefs", "Stream", "Conn", "Socket"]) {
        if (!stores[name]) fail(`WhatsApp Web has no ${name} that wa-js knows`);
      }
      for (const name of ["addAndSendMsgToChat", "findOrCreateLatestChat", "sendSeen"]) {
        if (!stores.functions[name]) fail(`WhatsApp Web has no ${name} that wa-js knows`);
      }
      if (WPP.conn.isAuthenticated()) await WPP.chat.list({ count: 1, ignoreGroupMetadata: true });
      return { build: WPP.conn.getBuildConstants?.() ?? null };
    },

    async refresh_code() {
      await WPP.conn.refreshQR();
    },

    async pairing_code(phone) {
      return WPP.conn.genLinkDeviceCodeForPhoneNumber(phone);
    },

    async log_out() {
      await WPP.conn.logout();
    },

    async chats() {
      const chats = await WPP.chat.list({ ignoreGroupMetadata: true });
      return chats
        .filter((chat) => isPersonal(chat.id) || isGroup(chat.id))
        .map((chat) => ({
          chat: String(chat.id),
          at: Math.floor(chat.t ?? 0),
          unread: Math.max(0, chat.unreadCount ?? 0),
          group: isGroup(chat.id),
          last_id: chat.lastReceivedKey?.id ?? null,
        }));
    },

    async history(chat, count) {
      const messages = await WPP.chat.getMessages(chat, { count });
      return messages.filter(isSaid).map(plain).sort((one, other) => one.at - other.at);
    },

    async prepare({ phone, lid, cold }) {
      const names = [lid && `${lid}@lid`, phone && `${phone}@c.us`].filter(Boolean);
      let chat = null;
      for (const name of names) chat ??= WPP.chat.get(name) ?? null;
      if (!chat && phone) {
        const other = stores.lidPnCache?.getCurrentLid?.(stores.WidFactory.createWid(`${phone}@c.us`));
        chat = (other && WPP.chat.get(String(other))) ?? null;
      }
      if (!chat) {
        if (!cold && !names.length) fail("no_such_person");
        const exists = await WPP.contact.queryExists(names[0]);
        if (!exists) fail("no_such_person");
        chat = await WPP.chat.find(names[0]);
      }
      verified(chat.id, { phone, lid });
      const key = await WPP.chat.generateMessageID(chat);
      return { chat: String(chat.id), key: String(key), id: key.id };
    },

    async send_text(target, body) {
      const sent = await WPP.chat.sendTextMessage(target.chat, body, await options(target));
      return { to: String(sent.to ?? target.chat), key: String(sent.id) };
    },

    async send_file(target, { base64, mime_type, filename, kind, caption, voice }) {
      const sent = await WPP.chat.sendFileMessage(target.chat, `data:${mime_type};base64,${base64}`, {
        ...(await options(target)),
        type: kind,
        mimetype: mime_type,
        filename,
        caption: caption ?? undefined,
        isPtt: Boolean(voice),
        waveform: false,
      });
      return { to: target.chat, key: String(sent.id) };
    },

    async react(target, { message_id, emoji }) {
      const message = find(message_id) ?? fail("wrong_chat");
      verified(message.id.remote, target);
      await WPP.chat.sendReactionToMessage(String(message.id), emoji || false);
      return { to: String(message.id.remote), key: target.key };
    },

    // A message that was sent by what the page showed is known by its bare id alone.
    async lookup(key, id) {
      if (key === id) return { ack: find(id)?.ack ?? 0 };
      try {
        const message = await WPP.chat.getMessageById(key);
        return { ack: message.ack ?? 0 };
      } catch (error) {
        if (["msg_not_found", "chat_not_found"].includes(error?.code)) return { ack: null };
        throw error;
      }
    },

    async typing(chat, on) {
      await (on ? WPP.chat.markIsComposing(chat) : WPP.chat.markIsPaused(chat));
    },

    async mark_read(message_id, typing) {
      const message = find(message_id);
      if (!message) return;
      await WPP.chat.markIsRead(message.id.remote);
      if (typing) await WPP.chat.markIsComposing(message.id.remote);
    },

    async open_file(key, most_bytes) {
      let blob = null;
      try {
        blob = await WPP.chat.downloadMedia(key);
      } catch (error) {
        fail("gone");
      }
      if (blob.size > most_bytes) fail("too_large");
      downloads.set(key, blob);
      return { size: blob.size };
    },

    async read_file(key, from, to) {
      const piece = await downloads.get(key).slice(from, to).arrayBuffer();
      let text = "";
      for (const byte of new Uint8Array(piece)) text += String.fromCharCode(byte);
      return btoa(text);
    },

    async close_file(key) {
      downloads.delete(key);
    },
  };

  window.mostradorPage = async (name, given) => {
    try {
      return JSON.stringify({ value: (await page[name](...given)) ?? null });
    } catch (error) {
      const code = error?.code ?? error?.name ?? "failed";
      return JSON.stringify({ error: String(error?.code ? code : (error?.message ?? code)).slice(0, 300) });
    }
  };

  if (!window.mostradorListens) {
    window.mostradorListens = true;
    const say = (message) => isSaid(message) && tell({ told: "message", ...plain(message) });
    WPP.on("chat.new_message", say);
    WPP.on("chat.msg_ack_change", ({ ack, chat, ids }) =>
      tell({ told: "ack", ack, chat: String(chat), ids: ids.map((one) => one.id), at: Math.floor(Date.now() / 1000) }),
    );
    WPP.on("chat.new_reaction", (news) => {
      const target = news.msgId;
      if (!target || !isPersonal(target.remote)) return;
      const mine = String(news.sender ?? news.senderUserJid ?? "").startsWith(`${WPP.conn.getMyUserId()?.user}@`);
      if (mine) return;
      tell({
        told: "message",
        id: news.id?.id ?? `reaction-${target.id}-${news.timestamp}`,
        key: String(target),
        chat: String(target.remote),
        from_me: false,
        kind: "reaction",
        at: Math.floor(news.timestamp ?? Date.now() / 1000),
        ...person(target.remote),
        emoji: news.reactionText ?? "",
        target_id: target.id,
      });
    });
    for (const name of [
      "conn.auth_code_change", "conn.authenticated", "conn.main_ready", "conn.online", "conn.needs_update",
      "conn.stream_mode_changed", "conn.stream_info_changed", "conn.qrcode_idle", "conn.require_auth",
    ]) {
      WPP.on(name, () => tell({ told: "changed" }));
    }
    WPP.on("conn.logout", () => tell({ told: "logged_out", reason: window.mostradorLogout ?? null }));
    WPP.on("conn.logout_reason", (reason) => {
      window.mostradorLogout = String(reason);
      tell({ told: "logged_out", reason: String(reason) });
    });
  }
}
