/* The review desk. It works without this file: the three panes stand below each other then.

   On a narrow window one pane is shown at a time (app.js changes it); and nobody leaves with feedback that is not saved. */
(function () {
  'use strict';
  var desk = document.querySelector('.lo-desk'), form = document.getElementById('score'), changed = false;
  if (!desk || !form) return;
  desk.dataset.show = document.querySelector('button[data-pane][aria-pressed=true]').dataset.pane;
  form.addEventListener('input', function () { changed = true; });
  form.addEventListener('submit', function () { changed = false; });
  window.addEventListener('beforeunload', function (leaving) { if (changed) leaving.preventDefault(); });
})();
