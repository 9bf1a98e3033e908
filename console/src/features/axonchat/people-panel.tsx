import type { PresentUser } from '@boardwire/contracts';
import { InitialsAvatar } from '../../ui/initials-avatar.tsx';
import classes from './people-panel.module.css';

/** Who has this board open, one entry per person. */
export function PeoplePanel({ people, selfId }: { people: readonly PresentUser[]; selfId: string }) {
  return (
    <aside className={classes.panel} aria-label="People online">
      <h2 className={classes.title}>
        Online <span className={classes.count}>{people.length}</span>
      </h2>
      <ul className={classes.list}>
        {people.map(({ id, name }) => (
          <li key={id} className={classes.person}>
            <span className={classes.face}>
              <InitialsAvatar id={id} name={name} size={28} />
            </span>
            <span className={classes.name}>
              <bdi>{name}</bdi>
              {id === selfId && <span className={classes.you}> (You)</span>}
            </span>
          </li>
        ))}
      </ul>
    </aside>
  );
}
