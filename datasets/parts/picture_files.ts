import { openImageFiles } from "../../harness/formats/image_files.ts";
import type { ImageFiles } from "../../harness/formats/image_rule.ts";
import { contentIdentity } from "./content_identity.ts";

/** The image files of a folder or an archive. */
export interface PictureFiles extends ImageFiles {
  /** A digest of names and contents: represents the content in cache keys. */
  readonly fingerprint: string;
  /** Keeps the hashes behind the digest, once the images have proved usable. */
  keepIdentity(): Promise<void>;
}

/**
 * Opens the image files at `path`, a folder or an archive, as `openImageFiles` does. Hashes of their contents are kept in the
 * folder `cache`.
 */
export async function openPictureFiles(
  path: string,
  { cache, onProgress }: {
    readonly cache: string;
    /** Called with the number of files that have been identified. */
    readonly onProgress?: (done: number, of: number) => void;
  },
): Promise<PictureFiles> {
  const files = await openImageFiles(path);
  const { isDirectory } = await Deno.stat(path);
  const { digest, keep } = await contentIdentity(path, isDirectory ? files.names ?? [] : [""], {
    cache,
    onProgress,
  });
  return { ...files, fingerprint: digest, keepIdentity: keep };
}
