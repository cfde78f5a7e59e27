/* Saves the answer as one types. The page works without it: there is a Save draft button, and every button saves too.

   form[data-autosave=URL] holds a textarea, window and revision; [data-saved] and [data-words] stand below it.
   The text is sent 1.5 s after the last key, at least every 10 s while one types, and when the page is left. */
(function () {
  'use strict';
  var form = document.querySelector('form[data-autosave]');
  if (!form) return;
  var text = form.elements.answer, saved = form.querySelector('[data-saved]'), words = form.querySelector('[data-words]');
  var kept = text.value, sending = false, stopped = false, timer = null, first = 0;

  function say(what) { if (saved.textContent !== what) saved.textContent = what; }
  function count() {
    var n = text.value.trim() ? text.value.trim().split(/\s+/).length : 0;
    words.textContent = n + (n === 1 ? ' word' : ' words');
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

  function save() {
    clearTimeout(timer);
    if (sending || stopped || text.value === kept) return;
    var sent = text.value;
    sending = true;
    first = 0;
    say('Saving…');
    fetch(form.dataset.autosave, {
      method: 'POST', body: body(), credentials: 'same-origin', headers: { 'X-Requested-With': 'autosave' },
      keepalive: sent.length < 15000 // the browser lets a small request finish when the page is left
    }).then(function (answer) {
      if (answer.redirected || answer.status === 403) {
        throw new Error('You are signed out. Open this page in a new tab and sign in; this text stays here.');
      }
      return answer.json().then(function (said) { return { status: answer.status, said: said }; });
    }).then(function (answer) {
      sending = false;
      if (answer.status === 200) {
        kept = sent;
        form.elements.revision.value = answer.said.revision;
        say(answer.said.said);
        if (text.value !== kept) later(1.5);
      } else if (answer.status === 409) {
        // This text lies on the server beside the newer one; what is typed from here on is sent there too.
        kept = sent;
        say(answer.said.said);
        if (text.value !== kept) later(5);
      } else {
        stopped = answer.status === 422;
        say('Not saved. ' + answer.said.said);
        if (!stopped) later(10);
      }
    }).catch(function (error) {
      sending = false;
      say(error.name === 'Error' ? 'Not saved. ' + error.message : 'Not saved: no connection. It is tried again; the text stays here.');
      later(10);
    });
  }

  text.addEventListener('input', function () {
    count();
    stopped = false;
    if (!first) first = Date.now();
    if (text.value !== kept) say('Not saved yet');
    if (Date.now() - first > 10000) save(); else later(1.5);
  });
  document.addEventListener('visibilitychange', function () { if (document.visibilityState === 'hidden') save(); });
  window.addEventListener('beforeunload', function (leaving) {
    if (text.value !== kept && !form.dataset.left) leaving.preventDefault();
  });
  form.addEventListener('submit', function () {
    clearTimeout(timer);
    renew();
    form.dataset.left = 'yes';
    form.elements.sent.value = +form.elements.sent.value + 1;
  });
  window.addEventListener('pageshow', function () { delete form.dataset.left; });
  window.addEventListener('online', save);
})();
