/** The repository's docs folder, from `src/docs` and from `dist/docs` alike. */
export const DOCS = new URL('../../../../docs/', import.meta.url);
