import './extension.suite';
