/** The page's own style; its hash stands in the page's policy. */
export const docsStyle = `
:root { color-scheme: light dark; --line: light-dark(#d5d9df, #3a4048); --soft: light-dark(#f4f6f8, #1d2126); }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem; }
h1 small { font-weight: 400; font-size: 1rem; }
h2 { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1.5rem; }
h3 { margin-bottom: .25rem; overflow-wrap: anywhere; }
nav ul { columns: 2; padding-left: 1.2rem; }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
pre { background: var(--soft); border-radius: 6px; overflow-x: auto; padding: .75rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
article { margin: 1.5rem 0; }
.answer { margin: .35rem 0; }
dl { border-left: 2px solid var(--line); display: grid; gap: 0 1rem; grid-template-columns: max-content 1fr; margin: .25rem 0; padding-left: .75rem; }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; font-size: .9rem; }
:target { scroll-margin-top: 1rem; }
@media (max-width: 40rem) { nav ul { columns: 1; } dl { grid-template-columns: 1fr; } }
`;
