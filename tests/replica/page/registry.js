"use strict";
/* The module system of WhatsApp Web, as far as wa-js asks for it: __d, require, importNamespace, ErrorGuard. */
(() => {
  const modulesMap = {};
  const loaded = new Map();

  function importNamespace(id) {
    if (loaded.has(id)) return loaded.get(id);
    const known = modulesMap[id];
    if (!known) throw new Error(`no module ${id}`);
    const exported = {};
    loaded.set(id, exported);
    known.factory(exported);
    return exported;
  }

  function require(id) {
    if (id === "__debug") return { modulesMap };
    return importNamespace(id);
  }

  window.__d = (id, factory) => {
    modulesMap[id] = { factory };
  };
  window.importNamespace = importNamespace;
  window.require = require;
  window.ErrorGuard = { skipGuardGlobal() {} };
})();
