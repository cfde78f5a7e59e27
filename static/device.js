/* What lies on this device until the server has it: onDevice('add', row), ('put', row), ('delete', key), ('getAll') are
   promises. A row is {key, of, name, file, url, replaces}; it outlives the page and the browser. */
(function () {
  'use strict';
  var database = null;
  if (!window.indexedDB) return;
  function open() {
    return database || (database = new Promise(function (done, failed) {
      var asked = indexedDB.open('lightsout', 1);
      asked.onupgradeneeded = function () { asked.result.createObjectStore('files', { keyPath: 'key', autoIncrement: true }); };
      asked.onsuccess = function () { done(asked.result); };
      asked.onerror = function () { failed(asked.error); };
    }));
  }
  window.onDevice = function (act, value) {
    return open().then(function (db) {
      return new Promise(function (done, failed) {
        var change = db.transaction('files', act === 'getAll' ? 'readonly' : 'readwrite'), asked = change.objectStore('files')[act](value);
        change.oncomplete = function () { done(asked.result); };
        change.onabort = change.onerror = function () { failed(change.error); };
      });
    });
  };
})();
