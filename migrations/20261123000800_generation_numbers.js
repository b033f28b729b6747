// @ts-check

/**
 * The number of a read model's table is never used again, so that a build which lost its lock without noticing cannot
 * meet its successor's table under the same name.
 *
 * @param {import('knex').Knex} knex
 */
export const up = async (knex) => {
  await knex.raw(`
    CREATE SEQUENCE projection_generation_numbers AS integer;
    SELECT setval('projection_generation_numbers', max(generation)) FROM projection_generations HAVING count(*) > 0;
    COMMENT ON SEQUENCE projection_generation_numbers IS 'Numbers the tables of all read models.';
  `);
};

/** @param {import('knex').Knex} knex */
export const down = async (knex) => {
  await knex.raw('DROP SEQUENCE projection_generation_numbers');
};
