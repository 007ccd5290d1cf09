// htm/preact/standalone bundles Preact; the types come from the preact package, not served.
import type { ComponentChild, VNode } from "preact";

export { Component, h, render } from "preact";
export type { ComponentChild, VNode } from "preact";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
