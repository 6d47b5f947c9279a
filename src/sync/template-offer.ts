import { holdingBack, leavingOut } from "../config/strategy.ts";
import type { TargetAbilities } from "../target/abilities.ts";
import { readVisitors } from "../target/sessions-in.ts";
import { formatBytes, formatDuration, plural } from "../util/format.ts";
import { type Opened, ownNames } from "./open.ts";
import type { Run } from "./run.ts";
import { onSameServer } from "./same-server.ts";
import { readTemplateFacts } from "./preflight/template-obstacles.ts";

/**
 * Bytes a second that CREATE DATABASE … STRATEGY = FILE_COPY gets done. Measured with 2.3 GB that the system had in memory, on a virtual
 * disk of two busy cores: 2.6 to 6.9 s, 340 to 900 MB/s. A disk that has to be read first does less, one that clones files takes no
 * time, so what is made of this is an order of magnitude.
 */
const BYTES_PER_SECOND = 300 * 1024 * 1024;

/** What `--strategy template` would do here. */
export interface TemplateOffer {
  /** Sessions in the source now, other than ours. It needs none. */
  sessions: number;
  /** The source's size. */
  bytes: number;
  /** Milliseconds that the copying of the files may take: a guess that depends on the disk. Counting the rows comes on top. */
  estimatedMs: number;
}

/** Undefined where it is not possible: two servers, something left out, another's database. */
export async function offerTemplate(run: Run, opened: Opened, abilities: TargetAbilities): Promise<TemplateOffer | undefined> {
  if (leavingOut(run.config).length > 0 || holdingBack(run.config).length > 0 || !(await onSameServer(opened))) return undefined;
  const { owner, allowed } = await readTemplateFacts(opened);
  if (!allowed || !abilities.memberOf.has(owner)) return undefined;
  const { bytes, oid } = opened.sourceIdentity;
  const { sessions } = await readVisitors(opened.control, oid, ownNames(run));
  return { sessions: sessions.length, bytes, estimatedMs: Math.round((bytes / BYTES_PER_SECOND) * 1000) };
}

export function renderOffer({ sessions, bytes, estimatedMs }: TemplateOffer): string {
  const now = sessions === 0 ? "there are none now" : `there ${sessions === 1 ? "is" : "are"} ${plural(sessions, "session")} now`;
  return `Same server: --strategy template copies ${formatBytes(bytes)} of files, in about ${formatDuration(estimatedMs)} (it depends on the disk). It needs a source without sessions: ${now}.`;
}
