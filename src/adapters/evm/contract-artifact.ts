import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Hex } from 'viem';
import { z } from 'zod';
import { Fault } from '../../errors/fault.ts';

const SOURCE = new URL('../../../contracts/SettlementLedger.sol', import.meta.url);
const SOLC_VERSION = '0.8.37';
const NAME = 'SettlementLedger';
const SETTINGS = {
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 1000 },
  metadata: { bytecodeHash: 'none' },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode'] } },
};

const hexCode = z.string().regex(/^0x[0-9a-f]+$/);
const artifactFile = z.object({
  abi: z.array(z.record(z.string(), z.unknown())),
  creationCode: hexCode,
  runtimeCode: hexCode,
  /** Byte offsets of the one immutable, the settler. */
  settlerOffsets: z.array(z.int().nonnegative()),
});

const compilerOutput = z.object({
  errors: z.array(z.object({ severity: z.string(), formattedMessage: z.string() })).optional(),
  contracts: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.object({
          abi: artifactFile.shape.abi,
          evm: z.object({
            bytecode: z.object({ object: z.string() }),
            deployedBytecode: z.object({
              object: z.string(),
              immutableReferences: z.record(z.string(), z.array(z.object({ start: z.int(), length: z.int() }))),
            }),
          }),
        }),
      ),
    )
    .optional(),
});

export type ContractArtifact = z.infer<typeof artifactFile>;

/**
 * The compiled contract, from `cacheFolder` where this source was compiled before with this compiler and these
 * settings; only otherwise the compiler is loaded.
 */
export async function loadContractArtifact(cacheFolder: string): Promise<ContractArtifact> {
  const source = await readFile(SOURCE, 'utf8');
  const digest = createHash('sha256')
    .update(JSON.stringify([SOLC_VERSION, SETTINGS, source]))
    .digest('hex');
  const path = join(cacheFolder, `${NAME}-${digest.slice(0, 32)}.json`);
  const cached = await readCached(path);
  if (cached !== null) return cached;
  const artifact = await compile(source);
  await writeCached(cacheFolder, path, artifact);
  return artifact;
}

/** The code that a deployment by this constructor argument leaves on chain. */
export function runtimeCodeOf(artifact: ContractArtifact, settler: Hex): Hex {
  let code = artifact.runtimeCode;
  const word = settler.slice(2).toLowerCase().padStart(64, '0');
  for (const offset of artifact.settlerOffsets) {
    const at = 2 + 2 * offset;
    code = code.slice(0, at) + word + code.slice(at + 64);
  }
  return code as Hex;
}

async function readCached(path: string): Promise<ContractArtifact | null> {
  try {
    const parsed = artifactFile.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // absent or damaged: compiled anew
  }
}

/** Renamed into place, so that a reader sees the whole file or none. A folder that cannot be written costs only time. */
async function writeCached(folder: string, path: string, artifact: ContractArtifact): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(draft, JSON.stringify(artifact));
    await rename(draft, path);
  } catch {
    // the artifact is in memory
  }
}

async function compile(source: string): Promise<ContractArtifact> {
  const file = `${NAME}.sol`;
  const { version, output } = await runCompiler({
    language: 'Solidity',
    sources: { [file]: { content: source } },
    settings: SETTINGS,
  });
  if (!version.startsWith(`${SOLC_VERSION}+`))
    throw new Fault('CONTRACT_UNUSABLE', `solc ${version} is not ${SOLC_VERSION}`);
  const parsed = compilerOutput.parse(JSON.parse(output));
  const complaint = parsed.errors?.find(({ severity }) => severity === 'error');
  if (complaint !== undefined) throw new Fault('CONTRACT_UNUSABLE', complaint.formattedMessage);
  const contract = parsed.contracts?.[file]?.[NAME];
  if (contract === undefined) throw new Fault('CONTRACT_UNUSABLE', `solc returned no ${NAME}`);
  const { bytecode, deployedBytecode } = contract.evm;
  return {
    abi: contract.abi,
    creationCode: `0x${bytecode.object}`,
    runtimeCode: `0x${deployedBytecode.object}`,
    settlerOffsets: Object.values(deployedBytecode.immutableReferences).flatMap((uses) =>
      uses.map(({ start }) => start),
    ),
  };
}

function runCompiler(input: object): Promise<{ version: string; output: string }> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./solc-worker.ts', import.meta.url), { workerData: JSON.stringify(input) });
    worker.once('message', resolve);
    worker.once('error', (error) => reject(new Fault('CONTRACT_UNUSABLE', `solc failed: ${error.message}`, error)));
    worker.once('exit', () => reject(new Fault('CONTRACT_UNUSABLE', 'solc ended without a result')));
  });
}
