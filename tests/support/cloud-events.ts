import { createRequire } from 'node:module';

/** As much of the `cloudevents` package as tests use: an SDK that knows nothing of this site. */
export interface SdkEvent {
  id: string;
  source: string;
  type: string;
  specversion: string;
  subject?: string;
  time?: string;
  datacontenttype?: string;
  dataschema?: string;
  data?: unknown;
  data_base64?: string;
  /** As JSON. */
  toString(): string;
  [extension: string]: unknown;
}
export interface SdkMessage {
  headers: Record<string, string>;
  body: unknown;
}
interface Sdk {
  /** Strict unless told otherwise: it throws for whatever is no CloudEvent 1.0. */
  CloudEvent: new (event: Record<string, unknown>, isStrict?: boolean) => SdkEvent;
  HTTP: {
    structured(event: SdkEvent): SdkMessage;
    binary(event: SdkEvent): SdkMessage;
    toEvent(message: { headers: Record<string, string>; body: unknown }): SdkEvent | SdkEvent[];
  };
}

export const { CloudEvent, HTTP } = createRequire(import.meta.url)('cloudevents') as Sdk;
