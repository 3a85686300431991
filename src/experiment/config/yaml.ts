/** The parser of YAML, a module of its own: it is loaded only where a run file is read, and in a bundle too by its names. */
export { parse } from 'yaml';
