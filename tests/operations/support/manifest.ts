interface SecretKey {
  name: string;
  key: string;
  optional?: boolean;
}

export interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
  privileged?: boolean;
  allowPrivilegeEscalation?: boolean;
  readOnlyRootFilesystem?: boolean;
  capabilities?: { drop?: string[]; add?: string[] };
  seccompProfile?: { type: string };
}

export interface Probe {
  httpGet?: { path: string; port: string | number };
  exec?: { command: string[] };
  periodSeconds?: number;
  failureThreshold?: number;
}

export interface EnvEntry {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: SecretKey; configMapKeyRef?: SecretKey; fieldRef?: { fieldPath: string } };
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  ports?: { name: string; containerPort: number }[];
  env?: EnvEntry[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number }; exec?: { command: string[] } } };
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: SecurityContext;
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string> };
  spec: {
    containers: Container[];
    initContainers?: Container[];
    volumes?: {
      name: string;
      configMap?: { name: string };
      secret?: { secretName: string; optional?: boolean; items?: { key: string }[] };
      emptyDir?: object;
      hostPath?: object;
    }[];
    securityContext?: SecurityContext;
    automountServiceAccountToken?: boolean;
    enableServiceLinks?: boolean;
    hostNetwork?: boolean;
    hostPID?: boolean;
    hostIPC?: boolean;
    terminationGracePeriodSeconds?: number;
    topologySpreadConstraints?: { topologyKey: string; labelSelector: Selector }[];
  };
}

export interface Selector {
  matchLabels?: Record<string, string>;
}

/** Any object of Kubernetes; its own schema says what stands in `spec`. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  // oxlint-disable-next-line no-explicit-any -- a shape for each kind, held by its schema in manifests.test.ts
  spec?: any;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

/** Of whatever makes pods: a Deployment, a StatefulSet, a Job. */
export function podTemplateOf({ spec }: Manifest): PodTemplate | undefined {
  const template = (spec as { template?: PodTemplate } | undefined)?.template;
  return template?.spec?.containers === undefined ? undefined : template;
}

export interface Workload {
  manifest: Manifest;
  template: PodTemplate;
}

export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return manifests.flatMap((manifest) => {
    const template = podTemplateOf(manifest);
    return template === undefined ? [] : [{ manifest, template }];
  });
}

export const titleOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

export function matches({ matchLabels = {} }: Selector, labels: Record<string, string> = {}): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}
