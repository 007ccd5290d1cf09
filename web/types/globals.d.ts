// What static/vendor/centrifuge.js and static/vendor/purify.js define, as modules too.
declare const Centrifuge: typeof import("centrifuge").Centrifuge;
declare const DOMPurify: typeof import("dompurify").default;
