// The views, in the order of the navigation. A view is views/NAME.js with texts in i18n/{en,ko}/NAME.json, loaded on first
// use; its name in the navigation is "shell.nav.NAME". One that is reached from others only says `hidden: true`.

export const views = [
  { name: "overview" },
  { name: "balancer" },
  { name: "group" },
  { name: "instances" },
  { name: "create" },
  { name: "health" },
  { name: "faults" },
  { name: "live" },
  { name: "requests" },
  { name: "try" },
  { name: "metrics" },
  { name: "lessons" },
];
