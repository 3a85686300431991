import { cssVariables, palettes } from 'lossledger/theme';

export default [palettes, cssVariables('dark')];
