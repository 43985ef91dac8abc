"use strict";
/* What the page knows: the account, its chats and messages, told by the server and written down in localStorage. */
(() => {
  class Emitter {
    on(name, listener) {
      this.listeners ??= new Map();
      for (const one of name.split(" ")) {
        if (!this.listeners.has(one)) this.listeners.set(one, []);
        this.listeners.get(one).push(listener);
      }
      return this;
    }
    once(name, listener) {
      const once = (...given) => {
        this.off(name, once);
        listener(...given);
      };
      return this.on(name, once);
    }
    off(name, listener) {
      const left = (this.listeners?.get(name) ?? []).filter((one) => one !== listener);
      this.listeners?.set(name, left);
      return this;
    }
    trigger(name, ...given) {
      for (const listener of [...(this.listeners?.get(name) ?? [])]) listener(...given);
      return this;
    }
  }

  class Model extends Emitter {
    constructor(attributes = {}) {
      super();
      Object.assign(this, attributes);
    }
    get attributes() {
      const { listeners, ...rest } = this;
      return rest;
    }
    set(name, value) {
      if (this[name] === value) return;
      this[name] = value;
      this.trigger(`change:${name}`, this, value);
      this.collection?.trigger(`change:${name}`, this, value);
    }
    unset(name) {
      delete this[name];
    }
  }

  class Collection extends Emitter {
    constructor() {
      super();
      this.models = [];
    }
    get(id) {
      return this.models.find((one) => String(one.id) === String(id));
    }
    add(model) {
      model.collection ??= this;
      this.models.push(model);
      this.trigger("add", model);
      return model;
    }
    getModelsArray() {
      return this.models;
    }
    map(each) {
      return this.models.map(each);
    }
    filter(each) {
      return this.models.filter(each);
    }
    findFirst(each) {
      return this.models.find(each);
    }
    forEach(each) {
      this.models.forEach(each);
    }
  }

  const device = (() => {
    const known = localStorage.getItem("device");
    if (known) return known;
    const made = crypto.randomUUID();
    localStorage.setItem("device", made);
    return made;
  })();

  async function call(path, body) {
    const answer = await fetch(`/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ device, ...body }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  }

  window.replica = { Emitter, Model, Collection, device, call, faults: window.replicaFaults ?? {} };
})();
