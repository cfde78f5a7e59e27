/* Draws the figure of [data-chart=ID-of-its-JSON] when it comes into view, with Plotly loaded only then. The colours are
   the page's own variables and follow its theme. Without this file the table below the chart says the same. */
(function () {
  'use strict';
  var d = document, plotly = d.currentScript.dataset.plotly, loading;

  function load() {
    if (!loading) {
      loading = new Promise(function (done, failed) {
        var s = d.createElement('script');
        s.src = plotly;
        s.onload = done;
        s.onerror = failed;
        d.head.append(s);
      });
    }
    return loading;
  }

  /* light-dark() and oklch() are the browser's to work out: what a probe of that colour looks like is what Plotly gets. */
  function colour(name) {
    var probe = d.createElement('span'), canvas = d.createElement('canvas').getContext('2d', { willReadFrequently: true });
    probe.style.color = 'var(' + name + ')';
    probe.hidden = true;
    d.body.append(probe);
    canvas.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    canvas.fillRect(0, 0, 1, 1);
    return 'rgb(' + Array.prototype.slice.call(canvas.getImageData(0, 0, 1, 1).data, 0, 3).join(',') + ')';
  }

  function dressed(figure) {
    var ink = colour('--lo-ink2'), line = colour('--tblr-border-color'), ground = colour('--tblr-bg-surface');
    var whole = JSON.parse(JSON.stringify(figure)), body = getComputedStyle(d.body);
    whole.data.forEach(function (trace) {
      trace.marker.color = colour(trace.meta.colour);
      trace.marker.pattern.fgcolor = ground;
      trace.marker.pattern.fgopacity = 0.6;
    });
    whole.layout.font = { family: body.fontFamily, size: 14, color: ink };
    whole.layout.yaxis.gridcolor = whole.layout.yaxis.zerolinecolor = whole.layout.xaxis.linecolor = line;
    whole.layout.hoverlabel = { bgcolor: ground, bordercolor: line, font: { color: colour('--tblr-body-color'), size: 14 } };
    return whole;
  }

  function draw(box) {
    load().then(function () {
      var drawn;
      function paint() {
        drawn = d.getElementById(box.dataset.chart).textContent;
        var whole = dressed(JSON.parse(drawn));
        return window.Plotly.react(box, whole.data, whole.layout, { displayModeBar: false, autosizable: true, responsive: true, showSendToCloud: false });
      }
      box.hidden = false;
      paint();
      d.querySelectorAll('[data-chart-table="' + box.dataset.chart + '"]').forEach(function (table) { table.open = false; });
      new MutationObserver(paint).observe(d.documentElement, { attributes: true, attributeFilter: ['data-bs-theme'] });
      /* A poll brings the figure of now. */
      d.addEventListener('htmx:afterSettle', function () {
        if (d.getElementById(box.dataset.chart).textContent !== drawn) paint();
      });
    });
  }

  function watch(margin) {
    var seen = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) return;
        seen.unobserve(entry.target);
        draw(entry.target.querySelector('[data-chart]'));
      });
    }, { rootMargin: margin });
    d.querySelectorAll('[data-chart]').forEach(function (box) { seen.observe(box.parentNode); });
  }
  /* Plotly is 330 KB and half a second of a phone's processor: there it is for who goes further than the first screen. */
  if (matchMedia('(min-width: 768px)').matches) watch('200px');
  else addEventListener('scroll', function () { watch('800px'); }, { once: true, passive: true });
})();
