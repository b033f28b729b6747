import type { OpenServices } from './cli/services.js';

/** The composition root: puts the adapters and the roles together. */
export const openServices: OpenServices = () => Promise.reject(new Error('nothing is composed yet'));
