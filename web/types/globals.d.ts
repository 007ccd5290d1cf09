// What static/vendor/centrifuge.js defines, as a module too.
declare const Centrifuge: typeof import("centrifuge").Centrifuge;
