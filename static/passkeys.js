/* Beside allauth's own scripts: shows what needs passkeys where the browser has them, and says when one did not come.
   A browser has none at an address that is a number. */
(function () {
  var d = document;
  function all(q) { return Array.prototype.slice.call(d.querySelectorAll(q)); }
  var can = window.PublicKeyCredential && !/^[\d.]+$|^\[/.test(location.hostname);
  all('[data-passkeys]').forEach(function (e) { e.hidden = !can; });
  all('[data-no-passkeys]').forEach(function (e) { e.hidden = can; });
  d.addEventListener('allauth.error', function (e) {
    e.preventDefault();
    all('[data-passkey-failed]').forEach(function (x) { x.hidden = false; });
  });
})();
