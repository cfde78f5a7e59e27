/* Sends the hashes of the answer and the files, so that the bytes may follow (portal/sealing.py); and lets handing in
   wait for the files that are on their way (static/sending.js), or for the net.

   [data-seal=URL] holds the button, [data-seal-said] and [data-wait-said] are told. It seals when it has to wait, too. */
(function () {
  'use strict';
  var d = document, form = d.querySelector('form[data-owner]'), part = d.getElementById('files'), hash = window.crypto && crypto.subtle;
  var sealing = d.querySelector('[data-seal]'), said = d.querySelector('[data-seal-said]'), seals = 0;
  var wait = d.querySelector('[data-wait-said]'), awaited = null;
  if (!window.sending) return;

  function hex(buffer) { return Array.from(new Uint8Array(buffer), function (b) { return (b + 256).toString(16).slice(1); }).join(''); }
  function sha(bytes) { return hash.digest('SHA-256', bytes).then(hex); }
  function seal() {
    var sent = ++seals, text = form.elements.answer.value.replace(/\0/g, '\ufffd'), files = {};
    said.textContent = translated('Sealing…');
    part.querySelectorAll('[data-here] [data-sha256]').forEach(function (e) {
      files[e.dataset.name] = { name: e.dataset.name, size: +e.dataset.size, sha256: e.dataset.sha256 };
    });
    return sending.waiting().then(function (all) {
      return all.reduce(function (before, one) {
        return before.then(function () { return one.file.arrayBuffer(); }).then(sha).then(function (found) {
          files[one.name] = { name: one.name, size: one.file.size, sha256: found };
        });
      }, Promise.resolve());
    }).then(function () { return sha(new TextEncoder().encode(text.trim() ? text : '')); }).then(function (answer) {
      var list = Object.keys(files).map(function (name) { return files[name]; });
      offer(JSON.stringify({ window: form.elements.window.value, sent: sent, answer: answer, files: list }), sent);
    });
  }
  function offer(body, sent) {
    if (sent !== seals) return;
    sending.ask('POST', sealing.dataset.seal, { 'Content-Type': 'application/json' }, body).then(function (answer) { return answer.json(); }).then(function (answer) {
      said.textContent = answer.said;
      return answer.sealed_at && sending.fresh().then(function (is) { if (is) said.textContent = translated('Sealed.'); });
    }).catch(function (error) {
      said.textContent = translated('Not sealed yet. %(why)s', { why: error.name === 'Error' ? error.message : translated('No connection: it is tried again.') });
      setTimeout(function () { offer(body, sent); }, 3000);
    });
  }
  if (sealing && hash) {
    sealing.hidden = false;
    sealing.querySelector('button').addEventListener('click', seal);
  }

  form.addEventListener('submit', function (e) {
    var b = e.submitter;
    if (!b || !b.hasAttribute('data-hands-in') || (navigator.onLine && sending.isEmpty())) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    awaited = b;
    if (sealing && hash) seal();
    settle();
  }, true);
  function settle() {
    var b = awaited;
    if (!b) return;
    if (sending.held()) {
      awaited = null;
      wait.textContent = translated('Not handed in: read what is said of the files, remove those that cannot go, and press it again.');
    } else if (!navigator.onLine || !sending.isEmpty()) {
      wait.textContent = translated('Not handed in yet. That happens by itself when everything is here: keep this page open.');
    } else {
      awaited = null;
      wait.textContent = '';
      form.requestSubmit(b);
    }
  }
  form.addEventListener('settled', settle);
  addEventListener('online', settle);
})();
