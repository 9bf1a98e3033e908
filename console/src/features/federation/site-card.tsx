import type { FederationSite } from '@boardwire/contracts';
import { Copyable } from '../../ui/copyable.tsx';
import classes from './federation-desk.module.css';

const uses = { root: 'identity', hop: 'requests', event: 'events', checkpoint: 'audit log' } as const;

/** What an operator tells others of this site. */
export function SiteCard({ site }: { site: FederationSite }) {
  const { name, fingerprint, endpoints, keys, documentVersion, witness } = site;
  return (
    <section className={classes.card} aria-labelledby="this-site">
      <h2 id="this-site" className={classes.heading}>
        This site: <bdi>{name}</bdi>
      </h2>
      <div className={classes.print}>
        <span className={classes.label}>Fingerprint, to be read out to other operators</span>
        <span className={classes.fingerprint}>
          <Copyable text={fingerprint} name="the fingerprint" />
        </span>
      </div>
      <dl className={classes.fields}>
        <div>
          <dt>Site id</dt>
          <dd>
            <Copyable text={site.site} name="the site id" />
          </dd>
        </div>
        <div>
          <dt>Endpoints</dt>
          <dd>
            {endpoints.length === 0
              ? 'None: other sites can’t dial this one, it dials them'
              : endpoints.map((endpoint) => <Copyable key={endpoint} text={endpoint} name="the endpoint" />)}
          </dd>
        </div>
      </dl>
      <details className={classes.fold}>
        <summary>Keys, as version {documentVersion} of the site’s document has them</summary>
        <dl className={classes.fields}>
          {keys.map(({ kid, use, public: publicKey }) => (
            <div key={kid}>
              <dt>For {uses[use]}</dt>
              <dd>
                <Copyable text={publicKey} name={`the key for ${uses[use]}`} />
              </dd>
            </div>
          ))}
          <div>
            <dt>As a witness of other sites’ audit logs</dt>
            <dd>
              <Copyable text={witness} name="the key as a witness" />
            </dd>
          </div>
        </dl>
      </details>
    </section>
  );
}
