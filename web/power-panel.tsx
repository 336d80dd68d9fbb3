import type { JSX } from 'preact';
import { IconAt, type IconName } from './icons.tsx';
import { Panel, TableBehind, Value } from './panel.tsx';
import type { View } from './view.ts';

/** A branch between the street in the middle and one of its four ends. Positive `watt` flows to the middle. */
interface Branch {
  readonly id: 'sun' | 'grid' | 'battery' | 'home';
  readonly icon: IconName;
  readonly label: string;
  readonly verb: string;
  readonly raw: number;
  readonly watt: number;
  readonly x: number;
  readonly y: number;
}

const CENTRE = { x: 200, y: 246 };
const HUB_RADIUS = 54;
const NODE_RADIUS = 46;
/** Below this a flow is noise. */
const IDLE_WATT = 5;

export function PowerPanel(view: View): JSX.Element {
  const { words, now, format } = view;
  const branches = branchesOf(view);
  const strongest = Math.max(1, ...branches.map(({ watt }) => Math.abs(watt)));
  const silent = now.homes.filter(({ powerW }) => powerW === null).length;
  return (
    <Panel id="power" title={words.flowTitle} hint={words.flowHint}>
      <svg class="flow" viewBox="0 0 400 492" role="img" aria-label={sentence(view, branches)}>
        {branches.map((branch) => (
          <Edge key={branch.id} branch={branch} share={Math.abs(branch.watt) / strongest} />
        ))}
        {branches.map((branch) => (
          <Node key={branch.id} branch={branch} power={format.power(branch.watt)} />
        ))}
        <g class="node node-hub">
          <circle cx={CENTRE.x} cy={CENTRE.y} r={HUB_RADIUS} />
          <IconAt name="neighbours" x={CENTRE.x} y={CENTRE.y - 26} size={26} />
          <text
            class="node-value"
            x={CENTRE.x}
            y={CENTRE.y + 9}
            data-name="flow-neighbours"
            data-value={now.flow.neighboursW}
          >
            {format.power(now.flow.neighboursW)}
          </text>
          <text class="node-label" x={CENTRE.x} y={CENTRE.y + 28}>
            {words.neighbours}
          </text>
        </g>
      </svg>
      {silent > 0 ? <p class="note note-warn">{words.silentHomes(String(silent), String(now.homes.length))}</p> : null}
      <TableBehind
        caption={words.flowTable}
        columns={[words.where, words.what, words.power]}
        words={2}
        rows={[
          ...branches.map(({ label, verb, raw, watt }) => [label, verb, <Value raw={raw}>{format.power(watt)}</Value>]),
          [
            words.neighbours,
            words.sharing,
            <Value raw={now.flow.neighboursW}>{format.power(now.flow.neighboursW)}</Value>,
          ],
        ]}
      />
    </Panel>
  );
}

function branchesOf({ words, now }: View): Branch[] {
  const { pvW, loadW, batteryW, gridW } = now.flow;
  const verb = (watt: number, inward: string, outward: string) =>
    Math.abs(watt) < IDLE_WATT ? words.idle : watt > 0 ? inward : outward;
  return [
    {
      id: 'sun',
      icon: 'sun',
      label: words.sun,
      verb: verb(pvW, words.giving, words.taking),
      raw: pvW,
      watt: pvW,
      x: 200,
      y: 50,
    },
    {
      id: 'grid',
      icon: 'grid',
      label: words.grid,
      verb: verb(gridW, words.buying, words.selling),
      raw: gridW,
      watt: gridW,
      x: 50,
      y: 246,
    },
    {
      id: 'battery',
      icon: 'battery',
      label: words.batteries,
      verb: verb(-batteryW, words.discharging, words.charging),
      raw: batteryW,
      watt: -batteryW,
      x: 350,
      y: 246,
    },
    {
      id: 'home',
      icon: 'home',
      label: words.homes,
      verb: verb(-loadW, words.giving, words.using),
      raw: loadW,
      watt: -loadW,
      x: 200,
      y: 442,
    },
  ];
}

function Node({ branch, power }: { branch: Branch; power: string }): JSX.Element {
  const { id, icon, label, verb, x, y, raw } = branch;
  const isUpright = x === CENTRE.x;
  return (
    <g class={`node node-${id}`}>
      <circle cx={x} cy={y} r={NODE_RADIUS} />
      <IconAt name={icon} x={x} y={y - 19} size={22} />
      <text class="node-value" x={x} y={y + 10} data-name={`flow-${id}`} data-value={raw}>
        {power}
      </text>
      <text class="node-label" x={x} y={y + 26}>
        {verb}
      </text>
      <text
        class="node-name"
        x={isUpright ? x + NODE_RADIUS + 12 : x}
        y={isUpright ? y + 5 : y + NODE_RADIUS + 20}
        text-anchor={isUpright ? 'start' : 'middle'}
      >
        {label}
      </text>
      <title>{`${label}: ${power} ${verb}`}</title>
    </g>
  );
}

/** Width says how much, the arrow where to, the running dots the same again where motion is welcome. */
function Edge({ branch, share }: { branch: Branch; share: number }): JSX.Element {
  const { x, y, watt, id } = branch;
  const length = Math.hypot(CENTRE.x - x, CENTRE.y - y);
  const [ux, uy] = [(CENTRE.x - x) / length, (CENTRE.y - y) / length];
  const outer = { x: x + ux * (NODE_RADIUS + 3), y: y + uy * (NODE_RADIUS + 3) };
  const inner = { x: CENTRE.x - ux * (HUB_RADIUS + 3), y: CENTRE.y - uy * (HUB_RADIUS + 3) };
  const [from, to] = watt >= 0 ? [outer, inner] : [inner, outer];
  const path = `M${from.x} ${from.y}L${to.x} ${to.y}`;
  if (Math.abs(watt) < IDLE_WATT) return <path class="edge edge-idle" d={path} />;
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  const angle = (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI;
  const pace = share > 0.66 ? 'fast' : share > 0.2 ? 'calm' : 'slow';
  return (
    <g class={`edge edge-${id}`}>
      <path class="edge-line" d={path} stroke-width={3 + share * 7} />
      <path class={`edge-dots pace-${pace}`} d={path} stroke-width={3 + share * 2} />
      <path class="edge-arrow" d="M-6 -8 7 0-6 8Z" transform={`translate(${middle.x} ${middle.y}) rotate(${angle})`} />
    </g>
  );
}

function sentence({ words, now, format }: View, branches: readonly Branch[]): string {
  const parts = branches.map(({ label, watt, verb }) => `${label} ${verb} ${format.power(watt)}`);
  return [...parts, `${words.neighbours} ${words.sharing} ${format.power(now.flow.neighboursW)}`].join(', ');
}
