import { defineConfig } from 'prisma/config';

// The client is generated without a database; `prisma migrate deploy` and `prisma studio` read the owner's URL.
const ownerUrl = process.env['V402_DATABASE_OWNER_URL'];

export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  ...(ownerUrl === undefined ? {} : { datasource: { url: ownerUrl } }),
});
