import classes from './typing-line.module.css';

/** Who is writing. The line is always there, so that nothing moves and a screen reader knows it before it changes. */
export function TypingLine({ names }: { names: readonly string[] }) {
  return (
    <p className={classes.line} role="status" aria-live="polite" aria-label="Who is typing">
      {names.length === 1 && (
        <>
          <bdi>{names[0]}</bdi> is typing
        </>
      )}
      {names.length === 2 && (
        <>
          <bdi>{names[0]}</bdi> and <bdi>{names[1]}</bdi> are typing
        </>
      )}
      {names.length > 2 && `${names.length} people are typing`}
    </p>
  );
}
