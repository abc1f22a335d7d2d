/* Sozialraumkarte: the border of the one area a page is about, beneath everything else. */
(function () {
  'use strict';

  function outline(id, data) {
    const handle = window.srkMap.of(id);
    L.geoJSON(data.geometry, {
      style: { color: '#1f2328', weight: 3, fillColor: '#ffffff', fillOpacity: 0.5, className: 'srk-outline' },
      interactive: false,
    }).addTo(handle.map);
    handle.emit('outline', {});
  }

  window.srkMap.outline = outline;
})();
