import { Icon, type IconName } from '../../ui/icon.tsx';
import { hexOf } from './verify/bytes.ts';
import type { FoldStep } from './verify/merkle.ts';
import type { Step, Verdict } from './verify/verify-entry.ts';
import classes from './verification-steps.module.css';

/** Each step with its values and how it came out, then the sum of it. */
export function VerificationSteps({ steps }: { steps: readonly Step[] }) {
  const sum = sumOf(steps);
  return (
    <>
      <p className={classes.sum} data-verdict={sum} role="status">
        <Icon name={signs[sum].icon} size={16} /> {sums[sum]}
      </p>
      <ol className={classes.steps}>
        {steps.map((step) => (
          <li key={step.title} className={classes.step} data-verdict={step.verdict}>
            <span className={classes.sign}>
              <Icon name={signs[step.verdict].icon} size={14} />
              <span className={classes.hidden}>{signs[step.verdict].word}: </span>
            </span>
            <div className={classes.body}>
              <h4 className={classes.title}>{step.title}</h4>
              <p className={classes.finding}>{step.finding}</p>
              <Values step={step} />
              {step.fold !== undefined && step.fold.length > 0 && <Fold levels={step.fold} />}
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}

function Values({ step: { values } }: { step: Step }) {
  return (
    <dl className={classes.values}>
      {values.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Fold({ levels }: { levels: readonly FoldStep[] }) {
  return (
    <details className={classes.fold}>
      <summary>{levels.length === 1 ? 'The one level' : `All ${levels.length} levels`}</summary>
      <ol>
        {levels.map(({ side, sibling, result }, at) => (
          // Levels have an order and nothing else.
          <li key={at}>
            {side === 'left' ? `SHA-256(0x01 ‖ ${hexOf(sibling)} ‖ hash)` : `SHA-256(0x01 ‖ hash ‖ ${hexOf(sibling)})`}
            <br />= {hexOf(result)}
          </li>
        ))}
      </ol>
    </details>
  );
}

function sumOf(steps: readonly Step[]): Verdict {
  if (steps.some(({ verdict }) => verdict === 'wrong')) return 'wrong';
  return steps.some(({ verdict }) => verdict === 'unknown') ? 'unknown' : 'right';
}

const sums: Readonly<Record<Verdict, string>> = {
  right: 'Proven: this very record is in the log.',
  wrong: 'Not proven: a step has failed.',
  unknown: 'Not proven here: a step could not be checked.',
};

const signs: Readonly<Record<Verdict, { icon: IconName; word: string }>> = {
  right: { icon: 'check', word: 'Passed' },
  wrong: { icon: 'close', word: 'Failed' },
  unknown: { icon: 'clock', word: 'Not checked' },
};
