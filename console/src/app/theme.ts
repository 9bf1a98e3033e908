import { Button, createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const tide: MantineColorsTuple = [
  '#e8f6f7',
  '#d2eaec',
  '#a5d5d9',
  '#76c0c6',
  '#50aeb5',
  '#38a2aa',
  '#23929b',
  '#107f88',
  '#05727b',
  '#00616a',
];

/** A neutral dark with a breath of blue. */
const dark: MantineColorsTuple = [
  '#dde1e6',
  '#b9c0c8',
  '#98a1ab',
  '#6d7681',
  '#454d57',
  '#343b44',
  '#262c34',
  '#1b2026',
  '#14181d',
  '#0e1115',
];

export const theme = createTheme({
  colors: { tide, dark },
  primaryColor: 'tide',
  primaryShade: 8,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily:
    'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace',
  headings: { fontWeight: '650' },
  respectReducedMotion: true,
  components: { Button: Button.extend({ styles: { label: { fontWeight: 550 } } }) },
});

/** Where the library's own greys are too faint to read (WCAG 1.4.3), and the surfaces of this console. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f5f7f8',
    '--mantine-color-dimmed': '#59636e',
    '--mantine-color-placeholder': '#6b7580',
    '--mantine-color-error': '#c22a2a',
    '--surface': '#ffffff',
    '--surface-sunken': '#eef1f3',
    '--surface-hover': '#f3f6f7',
    '--line': '#dfe4e8',
    '--accent-text': '#00616a',
    '--bubble-own': '#dff1f2',
    '--bubble-other': '#ffffff',
  },
  dark: {
    '--mantine-color-body': '#14181d',
    '--mantine-color-dimmed': '#a1aab4',
    '--mantine-color-placeholder': '#8d97a2',
    '--mantine-color-error': '#ff8f8f',
    '--surface': '#1b2026',
    '--surface-sunken': '#161a20',
    '--surface-hover': '#222830',
    '--line': '#2d343d',
    '--accent-text': '#76c0c6',
    '--bubble-own': '#12444a',
    '--bubble-other': '#222931',
  },
});
