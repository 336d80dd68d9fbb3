/** The topics of Sparkplug B 3.0 chapter 4: `spBv1.0/{group}/{verb}/{node}[/{device}]` and `spBv1.0/STATE/{host}`. */

const NODE_VERBS = ['NBIRTH', 'NDEATH', 'NDATA', 'NCMD'] as const;
const DEVICE_VERBS = ['DBIRTH', 'DDEATH', 'DDATA', 'DCMD'] as const;

export type NodeVerb = (typeof NODE_VERBS)[number];
export type DeviceVerb = (typeof DEVICE_VERBS)[number];

export type SparkplugTopic =
  | { readonly kind: 'node'; readonly group: string; readonly verb: NodeVerb; readonly node: string }
  | {
      readonly kind: 'device';
      readonly group: string;
      readonly verb: DeviceVerb;
      readonly node: string;
      readonly device: string;
    }
  | { readonly kind: 'state'; readonly host: string };

const NAMESPACE = 'spBv1.0';

/** Not empty and without `+ / #` (tck-id-intro-group-id-chars, -edge-node-id-chars, -device-id-chars), nor NUL. */
export function isSparkplugId(text: string): boolean {
  return text.length > 0 && text.length <= 255 && !/[+/#\0]/.test(text);
}

export function nodeTopic(group: string, verb: NodeVerb, node: string): string {
  return `${NAMESPACE}/${group}/${verb}/${node}`;
}

export function deviceTopic(group: string, verb: DeviceVerb, node: string, device: string): string {
  return `${NAMESPACE}/${group}/${verb}/${node}/${device}`;
}

export function stateTopic(host: string): string {
  return `${NAMESPACE}/STATE/${host}`;
}

/** The filter for everything that a group's nodes and devices say. */
export function groupFilter(group: string): string {
  return `${NAMESPACE}/${group}/#`;
}

/** `null` for a topic of another namespace, with an unknown verb, or with the wrong number of levels. */
export function parseTopic(topic: string): SparkplugTopic | null {
  const [namespace, group, verb, node, device, ...rest] = topic.split('/');
  if (namespace !== NAMESPACE || group === undefined || verb === undefined || rest.length > 0) return null;
  if (group === 'STATE') return node === undefined && isSparkplugId(verb) ? { kind: 'state', host: verb } : null;
  if (node === undefined || !isSparkplugId(group) || !isSparkplugId(node)) return null;
  if (device === undefined) return isNodeVerb(verb) ? { kind: 'node', group, verb, node } : null;
  return isDeviceVerb(verb) && isSparkplugId(device) ? { kind: 'device', group, verb, node, device } : null;
}

function isNodeVerb(text: string): text is NodeVerb {
  return NODE_VERBS.some((verb) => verb === text);
}

function isDeviceVerb(text: string): text is DeviceVerb {
  return DEVICE_VERBS.some((verb) => verb === text);
}
