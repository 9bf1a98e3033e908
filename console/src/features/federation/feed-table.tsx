import type { FederationFeed, FederationRoom } from '@boardwire/contracts';
import { Icon } from '../../ui/icon.tsx';
import { useNow } from '../../ui/use-now.ts';
import classes from './federation-desk.module.css';
import { agoText, shortHash } from './federation-text.ts';

interface FeedTableProps {
  room: FederationRoom;
  own: string;
  nameOf: (site: string) => string;
}

/** Each member's feed as far as it is here: what of it is not on the board yet, and what never will be. */
export function FeedTable({ room, own, nameOf }: FeedTableProps) {
  const { feeds, alias } = room;
  return (
    <div className={classes.tableBox}>
      <table className={classes.table} aria-label={`Feeds of ${alias}`}>
        <thead>
          <tr>
            <th scope="col">Feed of</th>
            <th scope="col" className={classes.number}>
              Events
            </th>
            <th scope="col">Last hash</th>
            <th scope="col">Grew</th>
            <th scope="col" className={classes.number} title="Taken over, and not on the board yet">
              Waiting
            </th>
            <th scope="col" className={classes.number} title="Verified, and refused by this site’s rules">
              Left out
            </th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {feeds.map((feed) => (
            <FeedRow key={feed.site} feed={feed} name={feed.site === own ? 'this site' : nameOf(feed.site)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function FeedRow({ feed, name }: { feed: FederationFeed; name: string }) {
  const now = useNow(5_000);
  const { epoch, n, hash, state, grownAt, waiting, holes } = feed;
  return (
    <tr>
      <th scope="row" title={`epoch ${epoch}`}>
        <bdi>{name}</bdi>
      </th>
      <td className={classes.number}>{n.toLocaleString()}</td>
      <td className={classes.mono} title={n === 0 ? '' : hash}>
        {n === 0 ? '' : shortHash(hash)}
      </td>
      <td>{grownAt === null ? 'never' : agoText(grownAt, now)}</td>
      <td className={classes.number}>{waiting.toLocaleString()}</td>
      <td className={classes.number}>{holes.toLocaleString()}</td>
      <td>
        {state === 'frozen' ? (
          <span className={classes.bad}>
            <Icon name="alert" size={14} /> frozen
          </span>
        ) : (
          'open'
        )}
      </td>
    </tr>
  );
}
