import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type OutputChunk, rolldown } from 'rolldown';
import { Fault } from '../../errors/fault.ts';

/** One file of the dashboard, ready to send. `etag` is quoted. */
export interface Asset {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** In this order: what depends on the width of the page and on motion has the last word. */
const STYLES = [
  'base',
  'top',
  'panel',
  'power-panel',
  'price-panels',
  'clearing-panel',
  'trades-panel',
  'homes-panel',
  'ledger-panel',
  'states',
  'motion-and-width',
];

/** Bundles the dashboard in memory: no build step, nothing on disk. @throws Fault DASHBOARD_UNBUILDABLE */
export async function bundleDashboard(root = webFolder()): Promise<ReadonlyMap<string, Asset>> {
  try {
    const [scripts, styles, page, icon] = await Promise.all([
      bundleScripts(root),
      bundleStyles(root),
      readFile(join(root, 'index.html'), 'utf8'),
      readFile(join(root, 'icon.svg'), 'utf8'),
    ]);
    const assets = new Map(scripts.map(({ fileName, code }) => [`/${fileName}`, asset('text/javascript', code)]));
    assets.set('/app.css', asset('text/css', styles));
    assets.set('/icon.svg', asset('image/svg+xml', icon));
    assets.set('/', asset('text/html', page));
    return assets;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault('DASHBOARD_UNBUILDABLE', `the dashboard in ${root} cannot be bundled: ${reason}`, error);
  }
}

async function bundleScripts(root: string): Promise<OutputChunk[]> {
  const input = { app: join(root, 'app.tsx'), theme: join(root, 'theme.ts') };
  const bundle = await rolldown({
    input,
    cwd: root,
    platform: 'browser',
    tsconfig: false,
    logLevel: 'silent',
    transform: { target: 'es2023', jsx: { runtime: 'automatic', importSource: 'preact' } },
  });
  try {
    const { output } = await bundle.generate({ format: 'es', minify: true, entryFileNames: '[name].js' });
    return output.filter((part) => part.type === 'chunk');
  } finally {
    await bundle.close();
  }
}

async function bundleStyles(root: string): Promise<string> {
  const chart = createRequire(join(root, 'app.tsx')).resolve('uplot/dist/uPlot.min.css');
  const own = STYLES.map((name) => join(root, 'styles', `${name}.css`));
  const sheets = await Promise.all([chart, ...own].map((path) => readFile(path, 'utf8')));
  return sheets.map(minifyCss).join('\n');
}

/** Comments and indentation only: what is left means the same in every browser. */
function minifyCss(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s*\n\s*/g, '\n')
    .replace(/([{};,])\n/g, '$1')
    .trim();
}

function asset(type: string, text: string): Asset {
  const body = new TextEncoder().encode(text);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { type: `${type}; charset=utf-8`, body, gzip: new Uint8Array(gzipSync(body, { level: 9 })), etag };
}

function webFolder(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '../../../web');
}
