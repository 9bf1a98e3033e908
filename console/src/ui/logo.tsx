import classes from './logo.module.css';

export function Logo() {
  return (
    <span className={classes.logo}>
      <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="#05757f" />
        <path
          d="M7 20.500h4.200l3-9 4 12 3-7.500h3.800"
          fill="none"
          stroke="#fff"
          strokeWidth="2.4"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      Boardwire
    </span>
  );
}
