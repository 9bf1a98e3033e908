/** Text of each file by its name. */
export function dashboardFiles(): Record<string, string>;
