/* Saves the answer as one types. The page works without it: there is a Save draft button, and every button saves too.

   form[data-autosave=URL] holds a textarea, window and revision; [data-saved] and [data-words] stand below it.
   The text is sent 1.5 s after the last key, at least every 10 s while one types, and when the page is left. Until the
   server has it, it lies on this device too: a page that is opened later sends what an earlier one could not. */
(function () {
  'use strict';
  var form = document.querySelector('form[data-autosave]');
  if (!form) return;
  var text = form.elements.answer, saved = form.querySelector('[data-saved]'), words = form.querySelector('[data-words]');
  var kept = text.value, sending = false, stopped = false, timer = null, first = 0;

  function say(what) { if (saved.textContent !== what) saved.textContent = what; }
  function count() {
    var n = text.value.trim() ? text.value.trim().split(/\s+/).length : 0;
    words.textContent = n === 1 ? translated('%(n)s word', { n: n }) : translated('%(n)s words', { n: n });
  }
  // Signing in again in another tab makes a new token: this page's own would be refused from then on.
  function renew() {
    var cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    if (cookie) form.elements.csrfmiddlewaretoken.value = cookie[1];
  }
  function body() {
    var data = new FormData();
    renew();
    form.elements.sent.value = +form.elements.sent.value + 1;
    // `whole` comes last: a request that is cut off on the way must not pass for a whole one.
    ['csrfmiddlewaretoken', 'window', 'revision', 'sent', 'answer'].forEach(function (name) {
      data.append(name, form.elements[name].value);
    });
    data.append('whole', 'yes');
    return data;
  }
  function later(seconds) {
    clearTimeout(timer);
    timer = setTimeout(save, seconds * 1000);
  }

  /* On this device, one text for each page that was open: none takes the place of another. */
  var shelf = 'draft ' + form.dataset.owner + ' ' + location.pathname + ' ', noted = null;
  function keep() {
    var place = shelf + form.elements.window.value, note = { answer: text.value };
    clearTimeout(noted);
    ['window', 'revision', 'sent'].forEach(function (name) { note[name] = form.elements[name].value; });
    try {
      if (text.value === kept) localStorage.removeItem(place); else localStorage.setItem(place, JSON.stringify(note));
    } catch (full) { /* the page itself still has it */ }
  }
  function left() {
    try {
      return Object.keys(localStorage).filter(function (place) { return place.indexOf(shelf) === 0 && place !== shelf + form.elements.window.value; });
    } catch (none) { return []; }
  }
  function bring() {
    var place = left()[0], note = place && JSON.parse(localStorage.getItem(place)), data = new FormData(), before = text.value;
    if (!place) return;
    renew();
    note.sent = +note.sent + 1;
    note.csrfmiddlewaretoken = form.elements.csrfmiddlewaretoken.value;
    ['csrfmiddlewaretoken', 'window', 'revision', 'sent', 'answer'].forEach(function (name) { data.append(name, note[name]); });
    data.append('whole', 'yes');
    fetch(form.dataset.autosave, { method: 'POST', body: data, credentials: 'same-origin', headers: { 'X-Requested-With': 'autosave' } }).then(function (answer) {
      if (answer.redirected || (answer.status !== 200 && answer.status !== 409)) return;
      localStorage.removeItem(place);
      if (note.answer === before) return bring();
      if (text.value !== before) return say(translated('A text that had waited on this device is on the server now. Reload this page to see it.'));
      if (answer.status === 409) return location.reload();
      return answer.json().then(function (told) {
        text.value = kept = note.answer;
        form.elements.revision.value = told.revision;
        count();
        say(translated('What had waited on this device is saved.'));
        bring();
      });
    }).catch(function () { /* no net: it waits on */ });
  }

  function save() {
    clearTimeout(timer);
    if (sending || stopped || text.value === kept) return;
    var sent = text.value;
    sending = true;
    first = 0;
    say(translated('Saving…'));
    fetch(form.dataset.autosave, {
      method: 'POST', body: body(), credentials: 'same-origin', headers: { 'X-Requested-With': 'autosave' },
      keepalive: sent.length < 15000 // the browser lets a small request finish when the page is left
    }).then(function (answer) {
      if (answer.redirected || answer.status === 403) {
        throw new Error(translated('You are signed out. Open this page in a new tab and sign in; this text stays here.'));
      }
      return answer.json().then(function (said) { return { status: answer.status, said: said }; });
    }).then(function (answer) {
      sending = false;
      if (answer.status === 200) {
        kept = sent;
        keep();
        form.elements.revision.value = answer.said.revision;
        say(answer.said.said);
        if (text.value !== kept) later(1.5);
      } else if (answer.status === 409) {
        // This text lies on the server beside the newer one; what is typed from here on is sent there too.
        kept = sent;
        keep();
        say(answer.said.said);
        if (text.value !== kept) later(5);
      } else {
        stopped = answer.status === 422;
        say(translated('Not saved. %(why)s', { why: answer.said.said }));
        if (!stopped) later(10);
      }
    }).catch(function (error) {
      sending = false;
      say(error.name === 'Error' ? translated('Not saved. %(why)s', { why: error.message }) : translated('Not saved: no connection. It is tried again; the text stays here.'));
      later(10);
    });
  }

  text.addEventListener('input', function () {
    count();
    clearTimeout(noted);
    noted = setTimeout(keep, 300);
    stopped = false;
    if (!first) first = Date.now();
    if (text.value !== kept) say(translated('Not saved yet'));
    if (Date.now() - first > 10000) save(); else later(1.5);
  });
  document.addEventListener('visibilitychange', function () {
    if (document.visibilityState !== 'hidden') return;
    keep();
    save();
  });
  window.addEventListener('beforeunload', function (leaving) {
    if (text.value !== kept && !form.dataset.left) leaving.preventDefault();
  });
  form.addEventListener('submit', function () {
    clearTimeout(timer);
    renew();
    form.dataset.left = 'yes';
    keep();
    form.elements.sent.value = +form.elements.sent.value + 1;
  });
  window.addEventListener('pageshow', function () { delete form.dataset.left; });
  window.addEventListener('online', function () { save(); bring(); });
  bring();
})();
