import { Text } from '@mantine/core';

/** Always in the page, so that screen readers announce what appears in it. */
export function FormFailure({ text }: { text: string | undefined }) {
  return (
    <Text size="sm" c="var(--mantine-color-error)" role="alert">
      {text}
    </Text>
  );
}
