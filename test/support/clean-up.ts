import { afterAll } from 'vitest';
import { removeTemporary } from './temporary-folder.js';

// Of each file of tests, when its own hooks have run: processes of tests are ended by a signal, and live through many files.
afterAll(removeTemporary);
