/* The review desk. It works without this file: the three panes stand below each other then, each link and button goes to
   the server, and a comment's form opens under its paragraph by a link.

   With it: keys (the dialog #keys lists them), feedback saves itself, what is to come next is fetched beforehand, and only
   #desk is changed: the next student is there as soon as one asks. */
(function () {
  'use strict';
  var d = document, root = d.getElementById('desk');
  if (!root) return;
  var ahead = {}, here, line, changed, sending, timer, first, asking = 0;

  function one(selector, within) { return (within || root).querySelector(selector); }
  function all(selector, within) { return [].slice.call((within || root).querySelectorAll(selector)); }
  function form() { return d.getElementById('score'); }
  function say(words) { var e = d.getElementById('state'); if (e) e.textContent = words; }
  function token(data) {
    // Signing in again in another tab makes a new token: this page's own would be refused from then on.
    var cookie = d.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    if (cookie) data.set('csrfmiddlewaretoken', cookie[1]);
    return data;
  }
  function ask(url, options) {
    options = options || {};
    options.credentials = 'same-origin';
    options.headers = { 'X-Requested-With': options.as || 'desk' };
    return fetch(url, options);
  }

  /* --- what is shown ----------------------------------------------------------------------------------- */
  function start() {
    var desk = one('.lo-desk'), pressed = one('button[data-pane][aria-pressed=true]');
    if (desk && pressed) desk.dataset.show = pressed.dataset.pane;
    here = null; line = 0; changed = false; sending = false; first = 0;
    clearTimeout(timer);
    delete root.dataset.ahead;
    total(); mark();
    var at = one('section[aria-labelledby=q] .is-now'), pane = at && at.closest('.lo-scroll');
    if (pane && pane.scrollHeight > pane.clientHeight) pane.scrollTop = at.offsetTop - pane.clientHeight / 3;
    // Ahead of time, one after the other: the one to review next first.
    setTimeout(function () {
      ['following', 'next', 'prev'].reduce(function (before, rel) {
        return before.then(function () { var a = one('a[rel=' + rel + ']'); return a ? fetched(a.href) : null; });
      }, Promise.resolve()).then(function () { root.dataset.ahead = 'all'; }).catch(function () {});
    }, 50);
  }
  function fetched(url) {
    if (!ahead[url]) {
      ahead[url] = ask(url, { as: 'ahead' }).then(function (answer) {
        if (!answer.ok || answer.redirected) throw new Error('not the desk');
        return answer.text();
      });
      ahead[url].catch(function () { delete ahead[url]; });
    }
    return ahead[url];
  }
  function put(html, url, push) {
    var pane = one('.lo-desk') && one('.lo-desk').dataset.show;
    root.innerHTML = html;
    if (pane) all('button[data-pane]').forEach(function (b) { b.setAttribute('aria-pressed', b.dataset.pane === pane); });
    if (push) history.pushState(null, '', url);
    var name = one('#w');
    if (name) d.title = translated('Review %(name)s', { name: name.textContent }) + ' · Lightsout';
    start();
    if (push) { one('#w').tabIndex = -1; one('#w').focus({ preventScroll: true }); }
  }
  /* Shows what was fetched ahead at once, then looks whether it is still so: somebody else may have saved meanwhile. */
  function go(url, push) {
    var turn = ++asking, known = ahead[url];
    leave().then(function () {
      return (known || fetched(url)).then(function (html) {
        if (turn !== asking) return;
        put(html, url, push);
        ahead = {};
        if (known) return ask(url).then(function (answer) { return answer.ok && !answer.redirected ? answer.text() : null; }).then(function (fresh) {
          if (fresh && turn === asking) refresh(fresh);
        });
      });
    }).catch(function () { if (turn === asking) location.assign(url); });
  }
  function refresh(fresh) {
    var page = d.createElement('div'), scroll = one('section .lo-scroll').scrollTop;
    page.innerHTML = fresh;
    var theirs = one('[name=revision]', page), mine = one('[name=revision]');
    if (theirs && mine && theirs.value !== mine.value && !changed) { root.innerHTML = fresh; start(); return; }
    one('section[aria-labelledby=q]').replaceWith(one('section[aria-labelledby=q]', page));
    one('section .lo-scroll').scrollTop = scroll;
  }

  /* --- saving by itself ---------------------------------------------------------------------------------- */
  function later(seconds) { clearTimeout(timer); timer = setTimeout(save, seconds * 1000); }
  function released() { return one('.lo-desk').hasAttribute('data-released'); }
  function save() {
    var f = form();
    clearTimeout(timer);
    if (!f || !changed || released()) return Promise.resolve();
    // What is on the way is waited for: the next text needs the revision that its answer brings.
    if (sending) return sending.then(save);
    var data = token(new FormData(f)), whole = data.get('whole');
    changed = false; first = 0;
    data.set('do', 'save');
    data.delete('whole'); data.append('whole', whole);
    say(translated('Saving…'));
    sending = ask(f.action, { method: 'POST', body: data, as: 'autosave', keepalive: true }).then(function (answer) {
      if (answer.redirected || answer.status === 403) throw new Error(translated('You are signed out. Sign in in another tab; this text stays here.'));
      return answer.json().then(function (said) {
        sending = null;
        if (answer.status === 200 && f === form()) { f.elements.revision.value = said.revision; ahead = {}; }
        if (answer.status !== 200) { changed = true; f.dataset.stopped = 'yes'; }
        if (f === form()) say(answer.status === 200 ? said.said : translated('Not saved. %(why)s', { why: said.said }));
        if (answer.status !== 200) throw new Error('stopped');
      });
    }).catch(function (error) {
      sending = null; changed = true;
      if (error.message !== 'stopped') { say(translated('Not saved. %(why)s', { why: error.name === 'Error' ? error.message : translated('No connection; it is tried again.') })); later(10); }
      throw error;
    });
    return sending;
  }
  /* Nothing is left unsaved: what cannot be saved keeps the reader here. */
  function leave() {
    if (!changed && !sending) return Promise.resolve();
    if (released()) return confirm(translated('What you changed is not saved yet. Leave it?')) ? Promise.resolve() : new Promise(function () {});
    return save().catch(function () { return new Promise(function () {}); });
  }

  function total() {
    var f = form(), sets = f ? all('fieldset', f) : [], sum = 0, given = 0;
    sets.forEach(function (set) { var c = one('input:checked', set); if (c) { sum += +c.value; given++; } });
    if (sets.length) d.getElementById('total').textContent = given === sets.length ? sum : given ? sum + '…' : '–';
  }

  /* --- the form is sent by the button: by script, so that the next one is there at once -------------------- */
  d.addEventListener('submit', function (e) {
    var f = e.target, by = e.submitter;
    if (f.id === 'score' && by && by.dataset.phrase && e.isTrusted) { e.preventDefault(); phrase(by.dataset.phrase); return; }
    if (f.id === 'score' && by && by.dataset.ready !== undefined) { e.preventDefault(); ready(f); return; }
    if (f.id === 'score') { clearTimeout(timer); changed = false; return; }
    if (f.dataset.remark !== undefined) { e.preventDefault(); remark(f, by); }
  });
  function ready(f) {
    clearTimeout(timer);
    (sending || Promise.resolve()).catch(function () {}).then(function () {
      var data = token(new FormData(f)), whole = data.get('whole');
      data.set('do', 'ready');
      data.delete('whole'); data.append('whole', whole);
      say(translated('Saving…'));
      return ask(f.action, { method: 'POST', body: data }).then(function (answer) {
        if (answer.redirected) throw new Error('signed out');
        if (answer.ok) return answer.json().then(function (said) {
          changed = false;
          if (said.is_desk) go(new URL(said.next, location).href, true); else location.assign(said.next);
        });
        return answer.text().then(function (html) {
          // A refusal or a conflict is the same desk, with what was typed.
          ahead = {};
          put(html, location.href, false);
          changed = true;
          var alert = one('.alert');
          if (alert) { alert.tabIndex = -1; alert.focus(); }
        });
      });
    }).catch(function () { changed = true; say(translated('Not saved: no connection. Nothing is lost; press again.')); later(10); });
  }
  function remark(f, by) {
    var data = token(new FormData(f)), top = one('section[aria-labelledby=w] .lo-scroll').scrollTop;
    if (by && by.name) data.set(by.name, by.value);
    leave().then(function () { return ask(f.action, { method: 'POST', body: data }); }).then(function (answer) {
      return answer.text().then(function (html) {
        var at = here && here.id;
        put(html, answer.url, false);
        if (answer.redirected) history.replaceState(null, '', answer.url.replace(/#.*/, ''));
        one('section[aria-labelledby=w] .lo-scroll').scrollTop = top;
        if (at && d.getElementById(at)) stand(d.getElementById(at));
      });
    }).catch(function () {
      // The text stays in its form.
      var said = one('[data-said]', f) || f.appendChild(d.createElement('p'));
      said.dataset.said = ''; said.textContent = translated('Not saved: no connection. Press again.');
    });
  }

  /* --- comments at a place ------------------------------------------------------------------------------- */
  function stand(passage) {
    if (here) here.classList.remove('is-here');
    here = passage;
    here.classList.add('is-here');
    here.focus({ preventScroll: true });
    here.scrollIntoView({ block: 'nearest' });
  }
  function step(by) {
    var passages = all('.lo-passage'), at = passages.indexOf(here);
    var next = passages[Math.min(passages.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (next) stand(next);
  }
  function open(passage) {
    var chosen = getSelection(), quote = '';
    if (chosen.rangeCount && !chosen.isCollapsed && one('.markdown', passage).contains(chosen.anchorNode) && one('.markdown', passage).contains(chosen.focusNode)) quote = chosen.toString();
    stand(passage);
    var now = one('form[data-remark]', passage);
    if (!now || one('[name=remark]', now)) {
      now = d.importNode(d.getElementById('remark-form').content, true).firstElementChild;
      now.elements.place.value = passage.id;
      passage.appendChild(now);
    }
    if (quote) now.elements.quote.value = quote;
    now.elements.text.focus();
  }
  function phrase(words) {
    var text = d.activeElement && d.activeElement.matches('#desk textarea') ? d.activeElement : last && root.contains(last) ? last : d.getElementById('fb');
    text.value = (text.value.replace(/\s+$/, '') + '\n\n' + words).replace(/^\n+/, '');
    text.dispatchEvent(new Event('input', { bubbles: true }));
    text.focus();
  }
  var last = null;
  d.addEventListener('focusin', function (e) { if (e.target.matches('#desk textarea')) last = e.target; });

  d.addEventListener('click', function (e) {
    var a = e.target.closest('a');
    if (!a || !root.contains(a) || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    if (a.dataset.comment !== undefined) { e.preventDefault(); open(a.closest('.lo-passage')); return; }
    if (a.dataset.cancel !== undefined && !one('[name=remark]', a.closest('form'))) {
      e.preventDefault();
      var f = a.closest('form'), passage = f.closest('.lo-passage');
      if (f.elements.text.value.trim() && !confirm(translated('Let this comment go?'))) return;
      f.remove();
      if (passage) stand(passage);
      return;
    }
    if (/\/receipts\/[^/]+\/(\?.*)?(#.*)?$/.test(a.href) && /\/review\//.test(a.href)) { e.preventDefault(); go(a.href, true); }
  });
  addEventListener('popstate', function () { go(location.href, false); });

  /* --- keys -------------------------------------------------------------------------------------------------- */
  function mark() {
    all('fieldset').forEach(function (set, n) { set.classList.toggle('is-here', n === line); });
  }
  function points(figure) {
    var sets = all('fieldset'), choice = sets[line] && one('input[value="' + figure + '"]', sets[line]);
    if (!sets.length) { var e = d.getElementById('points'); if (e) e.focus(); return; }
    if (!choice) return;
    choice.checked = true;
    choice.dispatchEvent(new Event('input', { bubbles: true }));
    line = Math.min(sets.length - 1, line + 1);
    mark();
  }
  function follow(selector) { var a = one(selector); if (a) a.click(); }
  function part(by) {
    var parts = all('a[data-part]'), at = parts.findIndex(function (a) { return a.getAttribute('aria-current'); });
    if (parts[at + by]) parts[at + by].click();
  }
  d.addEventListener('keydown', function (e) {
    var t = e.target, writes = t.matches('textarea, select, input:not([type=radio]):not([type=checkbox])');
    if (d.querySelector('dialog[open]')) return;
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      var near = t.closest('form[data-remark]'), button = near ? one('button[type=submit]', near) : one('[data-ready]');
      if (button) button.click();
      return;
    }
    if (e.altKey && /^[1-9]$/.test(e.key)) {
      var b = all('[data-phrase]')[e.key - 1];
      if (b) { e.preventDefault(); phrase(b.dataset.phrase); }
      return;
    }
    if (e.key === 'Escape' && writes) { t.blur(); if (here) here.focus({ preventScroll: true }); return; }
    if (writes || e.ctrlKey || e.metaKey || e.altKey) return;
    var key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (/^[0-9]$/.test(key)) points(key);
    else if (key === 'j') follow('a[rel=next]');
    else if (key === 'k') follow('a[rel=prev]');
    else if (key === 'n') step(1);
    else if (key === 'p') step(-1);
    else if (key === 'c') open(here || one('.lo-passage'));
    else if (key === 'r') { line = (line + 1) % Math.max(1, all('fieldset').length); mark(); }
    else if (key === 'e') d.getElementById('fb').focus();
    else if (key === '[') part(-1);
    else if (key === ']') part(1);
    else if (key === '?') d.getElementById('keys').showModal();
    else return;
    e.preventDefault();
  });

  root.addEventListener('input', function (e) {
    if (!form() || e.target.form !== form()) return;
    total();
    changed = true;
    if (released()) { say(translated('Not saved yet: press the button.')); return; }
    if (!first) first = Date.now();
    say(translated('Not saved yet'));
    if (Date.now() - first > 10000) save().catch(function () {}); else later(1.5);
  });
  d.addEventListener('visibilitychange', function () { if (d.visibilityState === 'hidden') save().catch(function () {}); });
  addEventListener('beforeunload', function (leaving) { if (changed || all('form[data-remark] textarea').some(function (t) { return t.value !== t.defaultValue; })) leaving.preventDefault(); });
  start();
})();
