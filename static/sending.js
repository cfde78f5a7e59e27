/* Files go to the server in pieces, and go on after a cut, a reload or a night (tus 1.0.0). What was chosen lies on this
   device until the server has it. Without this file the form sends them itself.

   form[data-owner] with #files[data-uploads=URL]: [data-queue] and a <template> for its rows. [data-here] has a row for
   each file of the draft (data-name, data-size, data-sha256). [data-fresh] is taken anew from the page when one is here.
   The form hears "settled" when one is here or nothing moves. static/sealing.js takes `sending`. */
(function () {
  'use strict';
  var d = document, form = d.querySelector('form[data-owner]'), part = d.getElementById('files');
  if (!form || !part || !window.onDevice || !window.fetch) return;
  var input = form.elements.files, queue = part.querySelector('[data-queue]'), row = part.querySelector('template');
  var mine = form.dataset.owner + ' ' + location.pathname, hash = window.crypto && crypto.subtle;
  var LEAST = 32768, MOST = 2097152, piece = 131072, rows = {}, running = false;

  function waiting() {
    return onDevice('getAll').then(function (all) { return all.filter(function (one) { return one.of === mine; }); });
  }
  function isFree(one) { return !rows[one.key] || !rows[one.key].stopped; }
  function free() { return waiting().then(function (all) { return all.filter(isFree); }); }

  /* --- the server --- */
  function token() { var m = d.cookie.match(/(?:^|; )csrftoken=([^;]+)/); return m ? m[1] : form.elements.csrfmiddlewaretoken.value; }
  function ask(method, url, headers, body) {
    headers = Object.assign({ 'X-CSRFToken': token(), 'Tus-Resumable': '1.0.0' }, headers);
    return fetch(url, { method: method, headers: headers, body: body, credentials: 'same-origin' }).then(function (answer) {
      if (answer.redirected || answer.status === 403 || answer.status === 401) {
        throw new Error(translated('You are signed out. Sign in in a new tab; it waits here.'));
      }
      if (answer.status >= 500) return answer.text().then(function (words) { throw new Error(answer.status === 507 ? words : translated('The portal does not answer. It is tried again.')); });
      return answer;
    });
  }
  function base64(bytes) { return btoa(String.fromCharCode.apply(null, new Uint8Array(bytes))); }
  function text64(text) { return base64(new TextEncoder().encode(text)); }

  function begin(one) {
    var said = 'filename ' + text64(one.name) + (one.replaces == null ? '' : ',replaces ' + text64(one.replaces));
    return ask('POST', part.dataset.uploads, { 'Upload-Length': one.file.size, 'Upload-Metadata': said }).then(function (answer) {
      if (answer.status !== 201) return refused(answer);
      one.url = answer.headers.get('Location');
      return onDevice('put', one).then(function () { return send(one, 0); });
    });
  }
  function resume(one) {
    if (!one.url) return begin(one);
    return ask('HEAD', one.url).then(function (answer) {
      if (answer.status === 404) { one.url = ''; return begin(one); }
      return send(one, +answer.headers.get('Upload-Offset'));
    });
  }
  function send(one, offset) {
    var bytes = one.file.slice(offset, offset + piece), began = Date.now();
    show(one, offset);
    return bytes.arrayBuffer().then(function (buffer) {
      return hash ? hash.digest('SHA-256', buffer) : null;
    }).then(function (digest) {
      var headers = { 'Upload-Offset': offset, 'Content-Type': 'application/offset+octet-stream' };
      if (digest) headers['Upload-Checksum'] = 'sha256 ' + base64(digest);
      return ask('PATCH', one.url, headers, bytes);
    }).then(function (answer) {
      if (answer.status === 204) {
        if (Date.now() - began < 4000) piece = Math.min(piece * 2, MOST);
        return send(one, +answer.headers.get('Upload-Offset'));
      }
      if (answer.status === 200) {
        return answer.text().then(function (words) { return onDevice('delete', one.key).then(function () { gone(one, words); }); });
      }
      if (answer.status === 409 || answer.status === 460 || answer.status === 404) throw Object.assign(new Error(translated('Sending goes on.')), { isSoon: true });
      return refused(answer);
    }, function (error) {
      piece = Math.max(piece / 2, LEAST);
      throw error;
    });
  }
  function refused(answer) {
    return answer.text().then(function (words) { throw Object.assign(new Error(words), { isFinal: true }); });
  }

  /* --- one after another --- */
  function pump() {
    if (running) return;
    running = true;
    var locked = navigator.locks ? function (act) { return navigator.locks.request('sending ' + mine, act); } : function (act) { return act(); };
    locked(function next() {
      return waiting().then(function (all) {
        var one = all.filter(isFree)[0];
        all.forEach(function (it) { show(it); });
        if (!one) return;
        return resume(one).then(next, function (error) {
          if (error.isFinal) { say(one, error.message, true); return next(); }
          say(one, error.name === 'Error' ? error.message : translated('No connection. It goes on by itself; the file waits on this device.'));
          setTimeout(pump, error.isSoon ? 500 : 5000);
        });
      });
    }).catch(function () {}).then(function () { running = false; settle(); });
  }
  function show(one, offset) {
    var e = rows[one.key], done;
    if (!e) {
      e = rows[one.key] = row.content.firstElementChild.cloneNode(true);
      e.querySelector('[data-name]').textContent = one.name;
      e.querySelector('button').setAttribute('aria-label', translated('Do not send %(name)s', { name: one.name }));
      e.querySelector('button').addEventListener('click', function () { drop(one); });
      queue.appendChild(e);
      queue.hidden = false;
    }
    if (offset == null) return;
    done = Math.floor(100 * offset / one.file.size);
    e.querySelector('progress').value = done;
    e.querySelector('[data-said]').textContent = done + ' %';
  }
  function say(one, words, stopped) {
    show(one);
    rows[one.key].stopped = stopped;
    rows[one.key].querySelector('[data-said]').textContent = words;
    rows[one.key].querySelector('progress').hidden = !!stopped;
  }
  function gone(one, words) {
    if (rows[one.key]) rows[one.key].remove();
    delete rows[one.key];
    queue.hidden = !queue.children.length;
    part.querySelector('[data-queue-said]').textContent = words;
    return fresh();
  }
  function fresh() {
    return fetch(location.pathname, { credentials: 'same-origin' }).then(function (answer) { return answer.text(); }).then(function (html) {
      var page = new DOMParser().parseFromString(html, 'text/html');
      d.querySelectorAll('[data-fresh]').forEach(function (e) { var now = page.getElementById(e.id); if (now) e.replaceWith(now); });
      return true;
    }).catch(function () {});
  }
  function settle() { form.dispatchEvent(new Event('settled')); }
  function held() { return Object.keys(rows).some(function (key) { return rows[key].stopped; }); }
  function drop(one) {
    onDevice('delete', one.key).then(function () { if (one.url) return ask('DELETE', one.url); }).catch(function () {}).then(function () { gone(one, translated('%(name)s is not sent.', { name: one.name })); settle(); });
  }
  function here(name) {
    return Array.from(part.querySelectorAll('[data-sha256]')).find(function (e) { return e.dataset.name === name; });
  }
  input.parentNode.querySelector('button').hidden = true; // what is chosen is sent
  input.addEventListener('change', function () {
    var chosen = Array.from(input.files);
    waiting().then(function (all) {
      return chosen.reduce(function (before, file) {
        return before.then(function () {
          var twice = all.some(function (it) { return it.name === file.name; }), old = here(file.name);
          return onDevice('add', { of: mine, name: file.name, file: file, url: '', replaces: twice ? null : old ? old.dataset.sha256 : '' });
        });
      }, Promise.resolve());
    }).then(function () { input.value = ''; pump(); }, function () {}); // keeps nothing: the form sends them
  });

  window.sending = { waiting: free, ask: ask, fresh: fresh, isEmpty: function () { return !queue.children.length; }, held: held };
  addEventListener('online', pump);
  pump();
})();
