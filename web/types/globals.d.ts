// static/vendor/centrifuge.js is a classic script that defines one global.
declare const Centrifuge: typeof import("centrifuge").Centrifuge;
