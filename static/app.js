/* What moves by itself on our pages. Every page does what matters without this file. Works under script-src 'self'.

   data-theme-toggle            a submit button that flips dark and light without the round trip
   data-dialog=ID               opens the <dialog>; on a link or submit button its own way is for those without script
   data-close                   closes the dialog around it
   data-copy=ID                 copies the text or value of that element, and says so
   data-meter-rate (USD/h)      with data-meter-base (USD) and data-meter-at (ISO): ticks once a second. An estimate: the
                                page says so beside it. data-meter-digits: decimals; data-meter-until: ticks no further
   data-until=ISO               counts down ("1 h 13 m"); data-over is shown at the end
   data-since=ISO               counts up ("20 s"); data-ago: words behind it
   data-busy="Checking…"        a button's words while its form is on the way
   data-guard=TEXT data-for=ID  the button wakes only when the typed text is the guard; the server checks it too
   data-cost, data-all          checkboxes of a list; data-bulk: the bar with <output data-by="by Mon 21:00">
   data-waits                   a part that polls itself: not while a <details> in it is open
   data-filter=ID               a search field that hides rows of that table's body
   data-pane=NAME               shows one pane of the review desk
   aria-expanded aria-controls  a row that opens another */
(function () {
  'use strict';
  var d = document, root = d.documentElement, dark = matchMedia('(prefers-color-scheme: dark)');
  function id(name) { return d.getElementById(name); }
  function all(selector, within) { return (within || d).querySelectorAll(selector); }
  function say(words) { var said = id('said'); if (said) said.textContent = words; }

  /* Our English in the page's language: its words lie in the page (portal/script_words.py), an English one has none.
     %(name)s in it is filled from values. All scripts ask here. */
  var known = null;
  function translated(words, values) {
    if (!known) {
      known = {};
      all('script[data-words]').forEach(function (e) { Object.assign(known, JSON.parse(e.textContent)); });
    }
    return (known[words] || words).replace(/%\((\w+)\)s/g, function (whole, name) { return values && name in values ? values[name] : whole; });
  }
  window.translated = translated;

  /* Theme: the server writes the cookie's choice into the page; without a choice it follows the system. */
  function chosen() { var m = d.cookie.match(/(?:^|; )theme=(light|dark)/); return m && m[1]; }
  function theme() { root.setAttribute('data-bs-theme', chosen() || (dark.matches ? 'dark' : 'light')); }
  theme();
  dark.addEventListener('change', theme);

  /* The server's clock: the reader's own may be wrong by hours. */
  var skew = Date.parse(root.dataset.now) - Date.now() || 0;
  function now() { return Date.now() + skew; }

  /* The same words as the |lasting filter. */
  function lasting(seconds) {
    var s = Math.max(0, Math.floor(seconds)), m = Math.floor(s / 60), h = Math.floor(s / 3600);
    var inSeconds = translated('%(n)s s'), inMinutes = translated('%(n)s m'), inHours = translated('%(n)s h'), inDays = translated('%(n)s d');
    var parts = s < 300 ? [[m, inMinutes], [s % 60, inSeconds]] : h < 72 ? [[h, inHours], [m % 60, inMinutes]] : [[Math.floor(h / 24), inDays], [h % 24, inHours]];
    return parts.filter(function (p) { return p[0]; }).map(function (p) { return p[1].replace('%(n)s', p[0]); }).join(' ') || inSeconds.replace('%(n)s', 0);
  }
  function dollars(amount, digits) {
    return '$' + amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
  function put(e, words) { if (e.textContent !== words) e.textContent = words; }
  function tick() {
    var at = now();
    all('[data-meter-rate]').forEach(function (e) {
      var until = e.dataset.meterUntil ? Math.min(at, Date.parse(e.dataset.meterUntil)) : at;
      var hours = Math.max(0, until - Date.parse(e.dataset.meterAt)) / 3600000;
      var amount = +e.dataset.meterBase + hours * +e.dataset.meterRate;
      if (!isNaN(amount)) put(e, dollars(amount, +(e.dataset.meterDigits || 2)));
    });
    all('[data-until]').forEach(function (e) {
      var left = (Date.parse(e.dataset.until) - at) / 1000;
      if (!isNaN(left)) put(e, left <= 0 && e.dataset.over ? e.dataset.over : lasting(left));
    });
    all('[data-since]').forEach(function (e) {
      var past = (at - Date.parse(e.dataset.since)) / 1000;
      if (!isNaN(past)) put(e, lasting(past) + (e.dataset.ago || ''));
    });
  }
  setInterval(tick, 1000);

  function copy(button) {
    var from = id(button.dataset.copy), text = 'value' in from ? from.value : from.textContent;
    if (navigator.clipboard) {
      navigator.clipboard.writeText(text).then(function () { copied(button); }, function () { select(from); });
    } else { select(from); }
  }
  function copied(button) {
    say(translated('Copied'));
    var words = button.lastChild, before = words.textContent;
    words.textContent = translated('Copied');
    setTimeout(function () { words.textContent = before; }, 2000);
  }
  function select(from) {
    if (from.select) from.select(); else getSelection().selectAllChildren(from);
    say(translated('Selected. Copy it with Ctrl+C.'));
  }

  d.addEventListener('click', function (e) {
    var t = e.target, b;
    if (t.closest('[data-theme-toggle]')) {
      e.preventDefault();
      var next = root.getAttribute('data-bs-theme') === 'dark' ? 'light' : 'dark';
      d.cookie = 'theme=' + next + ';path=/;max-age=31536000;samesite=lax' + (location.protocol === 'https:' ? ';secure' : '');
      theme();
    }
    if ((b = t.closest('[data-dialog]')) && id(b.dataset.dialog)) { e.preventDefault(); id(b.dataset.dialog).showModal(); }
    if ((b = t.closest('[data-close]')) && b.closest('dialog')) { e.preventDefault(); b.closest('dialog').close(); }
    if ((b = t.closest('[data-copy]'))) copy(b);
    if ((b = t.closest('button[data-pane]'))) {
      all('.lo-desk').forEach(function (desk) { desk.dataset.show = b.dataset.pane; });
      all('button[data-pane]', b.parentNode).forEach(function (x) { x.setAttribute('aria-pressed', x === b); });
    }
    if ((b = t.closest('button[aria-expanded][aria-controls]'))) {
      var open = b.getAttribute('aria-expanded') !== 'true';
      b.setAttribute('aria-expanded', open);
      id(b.getAttribute('aria-controls')).hidden = !open;
    }
    all('details.dropdown[open]').forEach(function (m) { if (!m.contains(t)) m.open = false; });
  });
  d.addEventListener('keydown', function (e) {
    if (e.key !== 'Escape') return;
    all('details.dropdown[open]').forEach(function (m) { m.open = false; m.querySelector('summary').focus(); });
  });

  d.addEventListener('input', function (e) {
    var t = e.target;
    if (t.dataset.guard) id(t.dataset.for).disabled = t.value.trim() !== t.dataset.guard;
    if (t.dataset.filter) sift(t);
  });
  function sift(search) {
    var wanted = search.value.trim().toLowerCase();
    all('tbody > tr', id(search.dataset.filter)).forEach(function (row) { row.hidden = row.textContent.toLowerCase().indexOf(wanted) < 0; });
  }
  /* A poll brings all rows: those that are not looked for go out of sight again. */
  d.addEventListener('htmx:afterSettle', function () { all('[data-filter]').forEach(sift); });

  /* The bulk bar counts and sums what is checked. */
  function count(bar) {
    var n = 0, sum = 0, unknown = 0, out = bar.querySelector('output');
    all('[data-cost]:checked').forEach(function (c) {
      n++;
      if (c.dataset.cost === '') unknown++; else sum += +c.dataset.cost;
    });
    bar.hidden = !n;
    var told = { n: n, usd: dollars(sum, 2), by: out.dataset.by || '', unpriced: unknown };
    out.textContent = unknown ? translated('%(n)s selected, %(usd)s %(by)s, %(unpriced)s unpriced', told) : translated('%(n)s selected, %(usd)s %(by)s', told);
  }
  d.addEventListener('change', function (e) {
    if (!e.target.matches('[data-cost],[data-all]')) return;
    if (e.target.matches('[data-all]')) all('[data-cost]').forEach(function (c) { c.checked = e.target.checked; });
    count(d.querySelector('[data-bulk]'));
  });
  /* A poll leaves what is checked (hx-preserve), and comes again later while something in it is open. */
  d.addEventListener('htmx:afterSettle', function () {
    if (d.querySelector('[data-bulk]') && d.querySelector('[data-cost]:checked')) count(d.querySelector('[data-bulk]'));
  });
  d.addEventListener('htmx:beforeRequest', function (e) {
    if (e.target.matches('[data-waits]') && e.target.querySelector('details[open]')) e.preventDefault();
  });

  /* A button whose form is on the way says so, and is not pressed twice. */
  d.addEventListener('submit', function (e) {
    var b = e.submitter;
    if (!b || !b.dataset.busy) return;
    b.dataset.words = b.lastChild.textContent;
    b.lastChild.textContent = b.dataset.busy;
    b.setAttribute('aria-busy', 'true');
    setTimeout(function () { b.disabled = true; }, 0);
  });
  function rested() {
    all('[aria-busy][data-words]').forEach(function (b) {
      b.lastChild.textContent = b.dataset.words;
      b.removeAttribute('aria-busy');
      b.disabled = false;
    });
  }
  addEventListener('pageshow', function (e) { if (e.persisted) { rested(); theme(); } });
  d.addEventListener('htmx:afterRequest', rested);

  function offline(is) { all('[data-offline]').forEach(function (b) { b.hidden = !is; }); }
  addEventListener('offline', function () { offline(true); });
  addEventListener('online', function () { offline(false); });
  d.addEventListener('htmx:sendError', function () { offline(true); });
  d.addEventListener('htmx:afterOnLoad', function () { offline(false); });

  /* Fragments bring their own meters and dialogs. */
  d.addEventListener('htmx:afterSettle', tick);
  d.addEventListener('DOMContentLoaded', function () {
    var open = d.querySelector('dialog[data-open]'), loaded = d.querySelector('[data-loaded-at]');
    if (open) open.showModal();
    if (loaded) loaded.textContent = new Date().toTimeString().slice(0, 5);
    tick();
  });
})();
