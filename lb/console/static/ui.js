// All of ui/ in one import: import { h, table, poll } from "../ui.js";

export * from "./ui/controls.js";
export * from "./ui/dialog.js";
export * from "./ui/dom.js";
export * from "./ui/feedback.js";
export * from "./ui/field.js";
export * from "./ui/poll.js";
export * from "./ui/status.js";
export * from "./ui/store.js";
export * from "./ui/table.js";
