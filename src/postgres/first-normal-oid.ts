/** Lower OIDs are those of objects that every database has; from here on a server gives them out itself, so they differ between two (access/transam.h). */
export const FIRST_NORMAL_OID = 16384;
