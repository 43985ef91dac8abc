"use strict";
/* The modules that wa-js looks for, over the replica's store. Their names and shapes are wa-js's own finders'. */
(() => {
  const { Emitter, Model, Collection, call, faults } = window.replica;
  const define = (id, exported) => {
    const renamed = faults.renamed === id ? `${id}Renamed` : id;
    window.__d(renamed, (into) => Object.assign(into, faults.renamed === id ? {} : exported));
  };

  /* Names of people, chats and messages */
  class Wid {
    constructor(user, server) {
      this.user = user;
      this.server = server;
      this._serialized = `${user}@${server}`;
    }
    static isXWid() {
      return false;
    }
    isUser() {
      return ["c.us", "lid"].includes(this.server);
    }
    isGroup() {
      return this.server === "g.us";
    }
    isLid() {
      return this.server === "lid";
    }
    isBot() {
      return false;
    }
    isStatusV3() {
      return false;
    }
    isNewsletter() {
      return false;
    }
    equals(other) {
      return String(other) === this._serialized;
    }
    toString() {
      return this._serialized;
    }
    toJSON() {
      return this._serialized;
    }
  }
  const createWid = (text) => {
    const [user, server] = String(text).split("@");
    return new Wid(user, server === "s.whatsapp.net" ? "c.us" : server);
  };
  const WidFactory = {
    createWid,
    isWidlike: (one) => one instanceof Wid,
    createWidFromWidLike: (one) => one,
    createUserWid: (user, server) => createWid(user.includes("@") ? user : `${user}@${server ?? "c.us"}`),
    createUserWidOrThrow: (user, server) => createWid(user.includes("@") ? user : `${user}@${server ?? "c.us"}`),
  };

  class MsgKey {
    constructor(given) {
      if (!given) throw new Error("MsgKey error: obj is null/undefined");
      this.fromMe = given.fromMe ?? given.selfDir === "out";
      this.remote = given.remote ?? given.to;
      this.id = given.id;
      this.participant = given.participant;
      const who = this.participant ? `_${this.participant}` : "";
      this._serialized = `${this.fromMe}_${this.remote}_${this.id}${who}`;
    }
    static fromString(text) {
      const [fromMe, remote, id, participant] = String(text).split("_");
      return new MsgKey({
        fromMe: fromMe === "true",
        remote: createWid(remote),
        id,
        participant: participant && createWid(participant),
      });
    }
    equals(other) {
      return String(other) === this._serialized;
    }
    clone() {
      return new MsgKey(this);
    }
    toString() {
      return this._serialized;
    }
  }
  const newId = () =>
    `3EB0${[...crypto.getRandomValues(new Uint8Array(9))].map((one) => one.toString(16).padStart(2, "0")).join("")}`.toUpperCase();

  /* Models and their collections */
  class MsgModel extends Model {
    msgContextInfo() {
      return { quotedMsg: { id: this.id }, quotedStanzaID: this.id.id };
    }
    async downloadMedia() {
      const answer = await fetch(`/api/media/${this.id.id}`);
      const blob = await answer.blob();
      this.mediaData.mediaBlob = { forceToBlob: () => blob };
    }
    updateAck(ack) {
      if (ack > (this.ack ?? 0)) this.set("ack", ack);
    }
  }
  class ChatModel extends Model {
    get isUser() {
      return this.id.isUser();
    }
    get isGroup() {
      return this.id.isGroup();
    }
    get hasUnread() {
      return this.unreadCount !== 0;
    }
  }
  class ContactModel extends Model {}
  MsgModel.prototype.proxyName = "msg";
  ChatModel.prototype.proxyName = "chat";
  ContactModel.prototype.proxyName = "contact";

  class MsgCollectionImpl extends Collection {}
  class ChatCollectionImpl extends Collection {}
  class ContactCollectionImpl extends Collection {}
  const MsgCollection = new MsgCollectionImpl();
  const ChatCollection = new ChatCollectionImpl();
  const ContactCollection = new ContactCollectionImpl();
  const GroupMetadata = new Collection();
  GroupMetadata.constructor = class GroupMetadataCollectionImpl extends Collection {};
  GroupMetadata.onParentGroupChange = () => {};
  GroupMetadata.find = async () => undefined;

  /* The connection */
  const Conn = new Model({ ref: null, connected: false });
  const Stream = new Model({ mode: null, info: null, needsUpdate: false });
  const Socket = new Model({ state: "OPENING", initConn() {} });
  const Cmd = new Emitter();
  Cmd.isMainLoaded = false;
  const NetworkStatus = new Model({ online: true });
  NetworkStatus.checkOnline = () => NetworkStatus.online;
  const state = { authenticated: false, me: null, lid: null, phones: new Map(), lids: new Map(), acks: new Map() };
  Socket.logout = () => void call("logout", {});
  Socket.poke = () => void call("refresh", {});
  Cmd.refreshQR = () => void call("refresh", {});

  /* Sending */
  function chatFor(wid) {
    let chat = ChatCollection.get(wid);
    if (!chat) {
      chat = new ChatModel({
        id: wid,
        unreadCount: 0,
        t: 0,
        msgs: new MsgCollectionImpl(),
        presence: { subscribe: async () => undefined },
        title: () => chat.name ?? "",
      });
      ChatCollection.add(chat);
    }
    return chat;
  }

  function keep(chat, message) {
    MsgCollection.models.push(message);
    message.collection = MsgCollection;
    chat.msgs.add(message);
    chat.t = message.t;
    chat.lastReceivedKey = message.id;
    MsgCollection.trigger("add", message);
    window.replica.draw?.();
  }

  const pending = {
    all: () => JSON.parse(localStorage.getItem("pending") ?? "[]"),
    save: (sent) => localStorage.setItem("pending", JSON.stringify([...pending.all(), sent])),
    drop: (id) => localStorage.setItem("pending", JSON.stringify(pending.all().filter((one) => one.id !== id))),
  };

  async function deliver(message) {
    const sent = {
      id: message.id.id,
      chat: String(message.to),
      type: message.type,
      body: message.body ?? "",
      caption: message.caption ?? null,
      quoted: message.quotedStanzaID ?? null,
      media: message.mediaData?.uploaded ?? null,
      t: message.t,
    };
    if (!faults.forgetsPending) pending.save(sent);
    const { ack } = await call("send", sent);
    if (ack) {
      message.updateAck(ack);
      pending.drop(sent.id);
      window.replica.draw?.();
    }
    return { messageSendResult: "OK", t: message.t };
  }

  async function addAndSendMsgToChat(chat, attributes) {
    const message = new MsgModel(attributes);
    keep(chat, message);
    if (faults.freezeOnSend) for (;;);
    return [Promise.resolve(message), deliver(message)];
  }

  class OpaqueData {
    constructor(blob) {
      this.blob = blob;
    }
    static async createFromData(blob) {
      return new OpaqueData(blob);
    }
    forceToBlob() {
      return this.blob;
    }
    throwIfReleased() {}
  }

  function prepRawMedia(data, options) {
    const file = data.blob;
    const mediaData = { type: kindOf(file.type, options), mimetype: file.type, mediaBlob: data };
    return {
      mediaData,
      _mediaData: mediaData,
      waitForPrep: async () => undefined,
      async sendToChat(chat, { caption, productMsgOptions }) {
        const bytes = new Uint8Array(await file.arrayBuffer());
        let text = "";
        for (const one of bytes) text += String.fromCharCode(one);
        mediaData.uploaded = { mimetype: file.type, base64: btoa(text), filename: file.name };
        const message = new MsgModel({ ...productMsgOptions, type: mediaData.type, caption, mediaData });
        keep(chat, message);
        return deliver(message);
      },
    };
  }
  const kindOf = (mimetype, options) => {
    if (options.asDocument) return "document";
    if (options.isPtt) return "ptt";
    return { image: "image", video: "video", audio: "audio" }[mimetype.split("/")[0]] ?? "document";
  };

  /* History */
  async function msgFindQuery(direction, anchor) {
    const chat = ChatCollection.get(anchor.remote);
    const all = chat ? chat.msgs.models : [];
    const at = anchor.id ? all.findIndex((one) => one.id.id === anchor.id) : all.length;
    const count = Number.isFinite(anchor.count) ? Math.max(0, anchor.count) : all.length;
    const found = direction === "after" ? all.slice(at + 1, at + 1 + count) : all.slice(Math.max(0, at - count), at);
    return found.map((one) => one.attributes);
  }

  const receipts = { handleChatSimpleReceipt: async () => undefined };

  window.replica.make = () => {
    define("WAWebVersion", { SANITIZED_VERSION_STR: "2.3000.1046379654" });
    define("WAWebStreamModel", { Stream });
    define("WAWebConnModel", { Conn, ConnImpl: Model });
    define("WAWebCmd", { Cmd, CmdImpl: Emitter });
    define("WAWebSocketModel", { Socket });
    define("WAWebSocketConstants", {
      SOCKET_STATE: { OPENING: "OPENING", PAIRING: "PAIRING", UNPAIRED: "UNPAIRED", UNPAIRED_IDLE: "UNPAIRED_IDLE", CONNECTED: "CONNECTED" },
      SOCKET_STREAM: {},
      WATCHED_SOCKET_STATE: {},
    });
    define("WAWebNetworkStatus", { default: NetworkStatus });
    define("WAWebBackendEventBus", { BackendEventBus: new Emitter(), BackendEvent: {} });
    define("WAWebWid", { default: Wid });
    define("WAWebWidFactory", WidFactory);
    define("WAWebMsgKey", { default: MsgKey });
    define("WAWebMsgKeyNewId", { default: { newId: async () => newId() } });
    define("WAWebMsgModel", { default: MsgModel });
    define("WAWebChatModel", { default: ChatModel });
    define("WAWebContactModel", { default: ContactModel });
    define("WAWebMsgCollectionClass", { MsgCollectionImpl });
    define("WAWebChatCollectionClass", { ChatCollectionImpl });
    define("WAWebContactCollectionClass", { ContactCollectionImpl });
    define("WAWebMsgCollection", { MsgCollection, default: MsgCollection });
    define("WAWebChatCollection", { ChatCollection, default: ChatCollection });
    define("WAWebContactCollection", { ContactCollection, default: ContactCollection });
    define("WAWebGroupMetadataCollection", { default: GroupMetadata });
    define("WAWebUserPrefsMeUser", {
      getMaybeMePnUser: () => state.me,
      getMaybeMeLidUser: () => state.lid,
      getMeLidUserOrThrow: () => state.lid,
    });
    define("WAWebAuthState", { isLoggedIn: () => state.authenticated });
    define("WAWebRegistration", { isRegistered: () => state.authenticated });
    define("WAWebFindChatAction", { findOrCreateLatestChat: async (wid) => ({ chat: chatFor(lidOf(wid) ?? wid) }) });
    define("WAWebEphemeral", { getEphemeralFields: () => ({}) });
    define("WATimeUtils", { unixTime: () => Math.floor(Date.now() / 1000) });
    define("WAWebSendMsgChatAction", { addAndSendMsgToChat });
    define("WAWebUpdateUnreadChatAction", {
      markUnread: async () => undefined,
      sendSeen: async (given) => {
        const chat = given.chat ?? given;
        chat.set("unreadCount", 0);
        await call("seen", { chat: String(chat.id) });
        window.replica.draw?.();
      },
    });
    define("WAWebChatPresence", {
      markComposing: async (chat) => call("typing", { chat: String(chat.id), on: true }),
      markPaused: async (chat) => call("typing", { chat: String(chat.id), on: false }),
    });
    define("WAWebAck", {
      ACK: { CLOCK: 0, SENT: 1, RECEIVED: 2, READ: 3, PLAYED: 4 },
      ACK_STRING: { SENDER: "sender", READ: "read" },
    });
    define("WAWebMsgType", { MSG_TYPE: { CHAT: "chat", CALL_LOG: "call_log" } });
    define("WAWebMsgReply", { canReplyMsg: () => true, getQuotedMsgObj: () => undefined });
    define("WAWebReactionsAction", {
      sendReactionToMsg: async (message, emoji) => call("reaction", { message: message.id.id, emoji }),
    });
    define("WAWebSearchContext", {
      getSearchContext: ({ chat, msgKey }) => ({
        collection: { loadAroundPromise: Promise.resolve(), get: (id) => (msgKey, chat.msgs.get(id)) },
      }),
    });
    define("WAWebDBMessageFind", { msgFindQuery, getMsgsByMsgKey: async () => [], queryMessageType: async () => [] });
    define("WAWebChatSimpleReceipt", receipts);
    define("WAWebGroupSimpleReceipt", { handleGroupSimpleReceipt: async () => undefined });
    define("WAWebStatusSimpleReceipt", { handleStatusSimpleReceipt: async () => undefined });
    define("WAWebLidPnCache", {
      lidPnCache: {
        getPhoneNumber: (lid) => state.phones.get(String(lid)),
        getCurrentLid: (phone) => state.lids.get(String(phone)),
      },
    });
    define("WAWebApiContact", {
      getCurrentLid: (phone) => state.lids.get(String(phone)),
      getPhoneNumber: (lid) => state.phones.get(String(lid)),
      getAlternateUserWid: (wid) => state.lids.get(String(wid)) ?? state.phones.get(String(wid)),
    });
    define("WAWebQueryExists", {
      queryWidExists: async (wid) => call("exists", { wid: String(wid) }).then((one) => (one.exists ? { wid } : null)),
      queryPhoneExists: async () => null,
    });
    define("WAWebOpaqueData", { default: OpaqueData });
    define("WAWebMediaPrep", { MediaPrep: { prepRawMedia }, prepRawMedia, uploadProductImage: async () => undefined });
    define("WAWebMediaGating", { MediaGatingUtils: {}, getUploadLimit: () => 100 * 1024 * 1024 });
    define("WABase64", { encodeB64: () => "a2V5", decodeB64: () => new Uint8Array(3) });
    define("WAWebAdvStore", { getADVSecretKey: () => "c2VjcmV0", setADVSignedIdentity() {} });
    define("WAWebNoiseInfo", { waNoiseInfo: { get: async () => ({ staticKeyPair: { pubKey: new Uint8Array(32) } }) } });
    define("WAWebSignalStore", {
      waSignalStore: { getRegistrationInfo: async () => ({ identityKeyPair: { pubKey: new Uint8Array(32) } }) },
    });
    define("WAWebAltDeviceLinking", {
      initializeAltDeviceLinking: async () => undefined,
      genLinkDeviceCodeForPhoneNumber: async (phone) => (await call("pair", { phone })).code,
    });
    define("WAWebLinkDeviceEvents", { WAWebLinkDeviceEvents: new Emitter() });
  };

  const lidOf = (wid) => state.lids.get(String(wid));

  /* What the server tells */
  const tell = {
    qr({ ref }) {
      Object.assign(state, { authenticated: false, me: null });
      Conn.set("ref", ref);
      Socket.set("state", "UNPAIRED");
      Stream.set("mode", "QR");
      window.replica.draw?.();
    },
    idle() {
      Socket.set("state", "UNPAIRED_IDLE");
      window.replica.draw?.();
    },
    linked({ me, lid, chats, people }) {
      state.authenticated = true;
      state.me = createWid(me);
      state.lid = createWid(lid);
      for (const one of people) person(one);
      for (const one of chats) {
        const chat = chatFor(createWid(one.id));
        chat.name = one.name;
        for (const each of one.messages) receive(each, { isNew: false });
        chat.unreadCount = one.unread;
      }
      Conn.set("connected", true);
      Conn.set("ref", null);
      Socket.set("state", "CONNECTED");
      Stream.set("info", "NORMAL");
      Stream.set("mode", "MAIN");
      Cmd.isMainLoaded = true;
      Cmd.trigger("main_loaded");
      flush();
      window.replica.draw?.();
    },
    message(one) {
      person(one.person);
      receive(one, { isNew: true });
      window.replica.draw?.();
    },
    ack({ chat, id, ack }) {
      const message = MsgCollection.get(`true_${chat}_${id}`);
      if (!message) return;
      message.updateAck(ack);
      if (ack >= 2) {
        const receipt = { ack, ackString: "", from: createWid(chat), externalIds: [id], recipient: state.me };
        window.importNamespace("WAWebChatSimpleReceipt").handleChatSimpleReceipt(receipt);
      }
      window.replica.draw?.();
    },
    logout() {
      Cmd.trigger("logout");
      localStorage.removeItem("device");
      setTimeout(() => location.reload(), 50);
    },
    mode({ mode }) {
      Stream.set("mode", mode);
      window.replica.draw?.();
    },
    online({ online }) {
      NetworkStatus.set("online", online);
    },
    update() {
      Stream.set("needsUpdate", true);
    },
    freeze() {
      for (;;);
    },
    reload() {
      location.reload();
    },
  };

  function person(one) {
    if (!one) return;
    if (one.lid && one.phone) {
      state.phones.set(one.lid, createWid(one.phone));
      state.lids.set(one.phone, createWid(one.lid));
    }
    const wid = createWid(one.lid ?? one.phone);
    if (!ContactCollection.get(wid)) ContactCollection.add(new ContactModel({ id: wid, pushname: one.name, name: one.saved }));
  }

  function receive(one, { isNew }) {
    const chat = chatFor(createWid(one.chat));
    chat.name ??= one.person?.name;
    const id = new MsgKey({
      fromMe: one.from_me,
      remote: chat.id,
      id: one.id,
      participant: one.author ? createWid(one.author) : undefined,
    });
    if (MsgCollection.get(id)) return;
    if (!one.from_me && isNew) chat.unreadCount += 1;
    const message = new MsgModel({
      id,
      type: one.type,
      body: one.body,
      caption: one.caption ?? undefined,
      t: one.t,
      ack: one.ack,
      from: one.from_me ? state.me : chat.id,
      to: one.from_me ? chat.id : state.me,
      author: id.participant,
      notifyName: one.person?.name,
      isNewMsg: isNew,
      quotedStanzaID: one.quoted ?? undefined,
      mimetype: one.media?.mimetype,
      filename: one.media?.filename,
      size: one.media?.size,
      mediaData: one.media ? { mimetype: one.media.mimetype, type: one.type } : undefined,
    });
    keep(chat, message);
  }

  /* What was queued and never acknowledged is sent again after a restart, under its own id. */
  function flush() {
    for (const one of pending.all()) {
      pending.drop(one.id);
      const chat = chatFor(createWid(one.chat));
      const id = new MsgKey({ fromMe: true, remote: chat.id, id: one.id });
      if (MsgCollection.get(id)) continue;
      const message = new MsgModel({ ...one, id, from: state.me, to: chat.id, ack: 0, local: true });
      keep(chat, message);
      void deliver(message);
    }
  }

  async function listen() {
    for (let first = true; ; ) {
      try {
        const { events } = await call("events", { first });
        first = false;
        for (const { name, ...given } of events) tell[name](given);
      } catch {
        await new Promise((done) => setTimeout(done, 200));
      }
    }
  }

  window.replica.state = state;
  window.replica.collections = { ChatCollection, MsgCollection, ContactCollection };
  window.replica.stores = { Conn, Stream, Socket };
  window.replica.chatFor = chatFor;
  window.replica.send = (chat, body) =>
    addAndSendMsgToChat(chat, {
      id: new MsgKey({ fromMe: true, remote: chat.id, id: newId() }),
      type: "chat",
      body,
      t: Math.floor(Date.now() / 1000),
      from: state.me,
      to: chat.id,
      ack: 0,
      local: true,
      isNewMsg: true,
    });
  window.replica.listen = listen;
})();
