import type { FederationEvidence } from '@boardwire/contracts';
import { Icon } from '../../ui/icon.tsx';
import { shortMoment } from '../../ui/time.ts';
import classes from './federation-desk.module.css';
import { shortHash } from './federation-text.ts';
import { siteNames } from './site-names.ts';
import type { FederationView } from './use-federation.ts';

/** Proof that a site has signed two headers for one place of its feed. */
export function EvidenceList({ evidence, view }: { evidence: FederationEvidence[]; view: FederationView }) {
  if (evidence.length === 0) return null;
  const nameOf = siteNames(view);
  return (
    <section className={classes.alarm} aria-labelledby="evidence">
      <h2 id="evidence" className={classes.heading}>
        <Icon name="alert" size={16} /> Evidence: a site has said two things at one place
      </h2>
      <p>
        Its feed is frozen here, and stays so until the site begins a new epoch with its root key. Ask its operator
        whether a backup was restored or a key was stolen.
      </p>
      <div className={classes.tableBox}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Site</th>
              <th scope="col" className={classes.number}>
                Place
              </th>
              <th scope="col">Kept</th>
              <th scope="col">Also signed</th>
              <th scope="col">Brought by</th>
              <th scope="col">Found</th>
            </tr>
          </thead>
          <tbody>
            {evidence.map(({ room, site, epoch, oseq, keptHash, otherHash, carrier, at }) => (
              <tr key={`${room} ${site} ${epoch} ${oseq} ${otherHash}`}>
                <th scope="row">
                  <bdi>{nameOf(site)}</bdi>
                </th>
                <td className={classes.number} title={`epoch ${epoch}`}>
                  {oseq}
                </td>
                <td className={classes.mono} title={keptHash}>
                  {shortHash(keptHash)}
                </td>
                <td className={classes.mono} title={otherHash}>
                  {shortHash(otherHash)}
                </td>
                <td>
                  <bdi>{nameOf(carrier)}</bdi>
                </td>
                <td>{shortMoment(Date.parse(at))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
